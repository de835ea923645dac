enum ForecastingRoom {}
