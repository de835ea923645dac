import AWSProtocol

/// The calls of the main job, in their order.
struct DemoSteps: Sendable {
    let client: EnvironmentClient
    let series: DemoSeries
    let data: DemoCustomer.Access
    let model: DemoCustomer.Access
    /// Makes names of this run its own, so that it can be repeated in one cluster.
    let tag: String

    /// The folder of this run in the bucket.
    var folder: String { "run_\(tag)" }

    /// A dataset under the data key, in a group of its own.
    func createDataset() async throws -> (dataset: String, group: String) {
        let dataset = try await arn(
            "CreateDataset", "DatasetArn",
            [
                "DatasetName": .string("demo_\(tag)"), "Domain": "CUSTOM", "DatasetType": "TARGET_TIME_SERIES",
                "DataFrequency": .string(series.frequency),
                "Schema": [
                    "Attributes": [
                        ["AttributeName": "item_id", "AttributeType": "string"],
                        ["AttributeName": "timestamp", "AttributeType": "timestamp"],
                        ["AttributeName": "target_value", "AttributeType": "float"],
                    ]
                ],
                "EncryptionConfig": data.configuration,
            ])
        let group = try await arn(
            "CreateDatasetGroup", "DatasetGroupArn",
            ["DatasetGroupName": .string("demo_\(tag)"), "Domain": "CUSTOM", "DatasetArns": [.string(dataset)]])
        return (dataset, group)
    }

    func importData(_ dataset: String) async throws -> String {
        try await arn(
            "CreateDatasetImportJob", "DatasetImportJobArn",
            [
                "DatasetImportJobName": "history", "DatasetArn": .string(dataset), "TimestampFormat": "yyyy-MM-dd HH:mm:ss",
                "DataSource": location("history.csv", data, sealed: false),
            ])
    }

    func train(_ group: String) async throws -> String {
        try await arn(
            "CreateAutoPredictor", "PredictorArn",
            [
                "PredictorName": .string("demo_\(tag)"), "ForecastHorizon": .int(Int64(series.horizon)),
                "ForecastFrequency": .string(series.frequency), "ForecastTypes": ["0.1", "0.5", "0.9"],
                "DataConfig": ["DatasetGroupArn": .string(group)], "EncryptionConfig": model.configuration,
            ])
    }

    func forecast(_ predictor: String) async throws -> String {
        try await arn(
            "CreateForecast", "ForecastArn", ["ForecastName": .string("demo_\(tag)"), "PredictorArn": .string(predictor)])
    }

    func exportBacktests(_ predictor: String) async throws -> String {
        try await arn(
            "CreatePredictorBacktestExportJob", "PredictorBacktestExportJobArn",
            [
                "PredictorBacktestExportJobName": "backtests", "PredictorArn": .string(predictor),
                "Destination": location("backtests", model, sealed: true),
            ])
    }

    private func location(_ path: String, _ access: DemoCustomer.Access, sealed: Bool) -> JSONValue {
        var config: JSONObject = [
            "Path": .string("s3://\(DemoCustomer.bucket)/\(folder)/\(path)"), "RoleArn": .string(access.role),
        ]
        if sealed { config["KMSKeyArn"] = .string(access.key) }
        return ["S3Config": .object(config)]
    }

    private func arn(_ operation: String, _ member: String, _ body: JSONObject) async throws -> String {
        guard let arn = try await client.call(.forecast, operation, body)[member]?.stringValue else {
            throw DemoFailure(description: "\(operation) gave no \(member)")
        }
        return arn
    }

    /// Status and message of what a job makes.
    static func status(_ arn: String, _ client: EnvironmentClient) async throws -> (status: String, message: String?) {
        let (operation, member): (String, String)
        switch ARN(arn)?.resourceType {
        case "dataset-import-job": (operation, member) = ("DescribeDatasetImportJob", "DatasetImportJobArn")
        case "predictor": (operation, member) = ("DescribeAutoPredictor", "PredictorArn")
        case "forecast": (operation, member) = ("DescribeForecast", "ForecastArn")
        default: (operation, member) = ("DescribePredictorBacktestExportJob", "PredictorBacktestExportJobArn")
        }
        let answer = try await client.call(.forecast, operation, [member: .string(arn)])
        return (answer["Status"]?.stringValue ?? "", answer["Message"]?.stringValue)
    }
}
