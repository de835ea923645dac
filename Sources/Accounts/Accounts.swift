enum AccountsRoom {}
