enum TimeSeriesRoom {}
