enum SecretsRoom {}
