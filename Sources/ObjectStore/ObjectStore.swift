enum ObjectStoreRoom {}
