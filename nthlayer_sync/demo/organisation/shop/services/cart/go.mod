module git.example.com/acme/cart

go 1.22
