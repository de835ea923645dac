/// Every operation that this version has, by its target.
enum OperationTable {
    static let control = table([
        .createDataset, .describe(.dataset), .list(.dataset), .delete(.dataset),
        .createDatasetGroup, .updateDatasetGroup, .describe(.datasetGroup), .list(.datasetGroup), .delete(.datasetGroup),
        .createDatasetImportJob, .describeDatasetImportJob, .list(.datasetImportJob), .delete(.datasetImportJob),
        .createAutoPredictor, .createPredictor, .describeAutoPredictor, .describePredictor, .list(.predictor),
        .delete(.predictor), .getAccuracyMetrics,
        .createBacktestExport, .describe(.backtestExport), .list(.backtestExport), .delete(.backtestExport),
        .createForecast, .describeForecast, .list(.forecast), .delete(.forecast),
        .createForecastExport, .describe(.forecastExport), .list(.forecastExport), .delete(.forecastExport),
        .stop,
    ])

    static let query = table([.queryForecast])

    private static func table(_ operations: [ForecastOperation]) -> [String: ForecastOperation] {
        Dictionary(uniqueKeysWithValues: operations.map { ($0.name, $0) })
    }
}
