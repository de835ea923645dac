enum ForecastAPIRoom {}
