module git.example.com/acme/inventory

go 1.22
