enum AWSClientsRoom {}
