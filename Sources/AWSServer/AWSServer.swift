enum AWSServerRoom {}
