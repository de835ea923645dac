import AWSProtocol
import Foundation

/// What a customer does from data to a prediction: import, predictor, forecast, one question.
struct Pipeline: Sendable {
    let bench: BenchCluster
    let tenant: Tenant
    let access: DemoCustomer.Access
    /// Makes its names its own.
    let tag: String
    let horizon: Int

    static let file = "history.csv"
    /// Jobs of one.
    static let jobs = 3

    func run() async throws {
        let group = try await importedGroup()
        let predictor = try await train(group)
        let forecast = try await forecast(predictor)
        _ = try await tenant.client.call(
            .forecastquery, "QueryForecast",
            ["ForecastArn": .string(forecast), "Filters": ["item_id": .string(SyntheticSeries.itemName(0))]])
    }

    func importedGroup() async throws -> String {
        let dataset = try await tenant.dataset("d_\(tag)", access)
        let group = try await tenant.arn(
            "CreateDatasetGroup", "DatasetGroupArn",
            ["DatasetGroupName": .string("g_\(tag)"), "Domain": "CUSTOM", "DatasetArns": [.string(dataset)]])
        try await bench.succeeded(try await tenant.importJob("i_\(tag)", dataset: dataset, file: Self.file, access))
        return group
    }

    func train(_ group: String, name: String? = nil) async throws -> String {
        let arn = try await tenant.arn(
            "CreateAutoPredictor", "PredictorArn",
            [
                "PredictorName": .string(name ?? "p_\(tag)"), "ForecastHorizon": .int(Int64(horizon)), "ForecastFrequency": "D",
                "DataConfig": ["DatasetGroupArn": .string(group)], "EncryptionConfig": access.configuration,
            ])
        try await bench.succeeded(arn)
        return arn
    }

    func forecast(_ predictor: String) async throws -> String {
        let arn = try await tenant.arn(
            "CreateForecast", "ForecastArn", ["ForecastName": .string("f_\(tag)"), "PredictorArn": .string(predictor)])
        try await bench.succeeded(arn)
        return arn
    }
}
