enum OutboxRoom {}
