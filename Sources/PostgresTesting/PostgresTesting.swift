enum PostgresTestingRoom {}
