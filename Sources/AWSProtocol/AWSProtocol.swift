enum AWSProtocolRoom {}
