enum PipelinesRoom {}
