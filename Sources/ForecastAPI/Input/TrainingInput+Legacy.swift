import AWSProtocol
import Forecasting
import TimeSeries

extension TrainingInput {
    /// A predictor of CreatePredictor whose settings an AutoPredictor takes over; its backtests are AutoPredictor's.
    init(upgrading request: JSONObject) throws {
        try self.init(predictor: request)
        backtestWindows = 1
        backtestOffset = horizon
    }

    static let etsAlgorithm = "arn:aws:forecast:::algorithm/ETS"

    /// Members of CreatePredictor. Models are chosen per series: PerformAutoML, or the ETS algorithm, which is one of them.
    init(predictor input: JSONObject) throws {
        let algorithm = try input.optionalString("AlgorithmArn", .forecastARN)
        let autoML = try input.optionalBool("PerformAutoML") ?? false
        switch (algorithm, autoML) {
        case (nil, false):
            throw AWSError.invalidInput("AlgorithmArn: is required unless PerformAutoML is true.")
        case (.some, true):
            throw AWSError.invalidInput("AlgorithmArn: is not allowed where PerformAutoML is true.")
        case (.some(let algorithm), false) where algorithm != Self.etsAlgorithm:
            throw AWSError.invalidInput("AlgorithmArn: this version has \(Self.etsAlgorithm); PerformAutoML chooses per series.")
        default:
            break
        }
        horizonRule = autoML ? .retrainedOrAutoML : .algorithm
        for member in ["HPOConfig", "TrainingParameters", "AutoMLOverrideStrategy"] where input[member] != nil {
            throw AWSError.invalidInput("\(member): is not supported by this version.")
        }
        guard try input.optionalBool("PerformHPO") != true else {
            throw AWSError.invalidInput("PerformHPO: is for CNN-QR and DeepAR+ only.")
        }
        let data = try input.requiredObject("InputDataConfig")
        datasetGroup = try data.requiredString("DatasetGroupArn", .forecastARN)
        guard data["SupplementaryFeatures"] == nil else {
            throw AWSError.invalidInput("SupplementaryFeatures: are not supported by this version.")
        }
        let featurization = try input.requiredObject("FeaturizationConfig")
        frequency = try featurization.requiredString("ForecastFrequency", length: 1...5)
        try FrequencyInput.check(frequency, member: "ForecastFrequency")
        horizon = try input.requiredInt("ForecastHorizon", range: 1...Self.horizonMax)
        forecastTypes = try ForecastTypesInput.read(input) ?? ForecastTypesInput.defaults
        dimensions = try featurization.optionalStrings("ForecastDimensions", count: 1...10) ?? []
        (transformedAttribute, transformations) = try Self.featurization(featurization)
        optimizationMetric =
            try input.optionalEnum("OptimizationMetric", as: OptimizationMetric.self)?.rawValue
            ?? OptimizationMetric.AverageWeightedQuantileLoss.rawValue
        let evaluation = try input.optionalObject("EvaluationParameters")
        backtestWindows = try evaluation?.optionalInt("NumberOfBacktestWindows", range: 1...Self.backtestWindowsMax) ?? 1
        backtestOffset = try evaluation?.optionalInt("BackTestWindowOffset", range: 1...100_000) ?? horizon
        guard backtestOffset >= horizon else {
            throw AWSError.invalidInput("BackTestWindowOffset: must be at least ForecastHorizon.")
        }
    }

    private static func featurization(_ config: JSONObject) throws -> (String?, [String: String]) {
        let featurizations = try config.optionalObjects("Featurizations", count: 1...50) ?? []
        guard featurizations.count <= 1 else {
            throw AWSError.invalidInput("Featurizations: only the target can be featurized by this version.")
        }
        guard let featurization = featurizations.first else { return (nil, TransformationsInput.defaults) }
        let name = try featurization.requiredString("AttributeName", .name)
        guard let method = try featurization.optionalObjects("FeaturizationPipeline", count: 1...1)?.first else {
            return (name, TransformationsInput.defaults)
        }
        guard try method.requiredString("FeaturizationMethodName", length: 1...64) == "filling" else {
            throw AWSError.validation(
                field: "FeaturizationMethodName", rule: "Member must satisfy enum value set: [filling]")
        }
        let parameters = try method.optionalStringMap("FeaturizationMethodParameters") ?? [:]
        return (name, try TransformationsInput.effective(parameters, member: "FeaturizationMethodParameters"))
    }

    /// The request as Describe shows it, defaults included.
    func predictorRequest(target: String, algorithm: String?) -> JSONObject {
        var request = JSONObject()
        request.append("AlgorithmArn", ifPresent: algorithm.map { .string($0) })
        request["ForecastHorizon"] = .int(Int64(horizon))
        request["ForecastTypes"] = .array(forecastTypes.map { .string($0) })
        request["PerformAutoML"] = .bool(algorithm == nil)
        request["PerformHPO"] = false
        request["EvaluationParameters"] = [
            "NumberOfBacktestWindows": .int(Int64(backtestWindows)), "BackTestWindowOffset": .int(Int64(backtestOffset)),
        ]
        request["InputDataConfig"] = ["DatasetGroupArn": .string(datasetGroup)]
        var featurization: JSONObject = ["ForecastFrequency": .string(frequency)]
        if !dimensions.isEmpty { featurization["ForecastDimensions"] = .array(dimensions.map { .string($0) }) }
        featurization["Featurizations"] = [
            [
                "AttributeName": .string(target),
                "FeaturizationPipeline": [
                    [
                        "FeaturizationMethodName": "filling",
                        "FeaturizationMethodParameters": .object(TransformationsInput.request(transformations)),
                    ]
                ],
            ]
        ]
        request["FeaturizationConfig"] = .object(featurization)
        request["OptimizationMetric"] = .string(optimizationMetric)
        return request
    }
}
