module git.example.com/acme/catalogue

go 1.22
