import AWSProtocol
import Pipelines
import TimeSeries

extension TrainingInput {
    /// Members of CreateAutoPredictor.
    init(autoPredictor input: JSONObject) throws {
        for member in ["AdditionalDatasets"] {
            guard try input.optionalObject("DataConfig")?[member] == nil else {
                throw AWSError.invalidInput("DataConfig: \(member) are not supported by this version.")
            }
        }
        guard try input.optionalBool("ExplainPredictor") != true else {
            throw AWSError.invalidInput("ExplainPredictor: explainability is not supported by this version.")
        }
        guard input["MonitorConfig"] == nil else {
            throw AWSError.invalidInput("MonitorConfig: monitors are not supported by this version.")
        }
        guard let config = try input.optionalObject("DataConfig") else {
            throw AWSError.invalidInput("DataConfig: is required for a new predictor.")
        }
        datasetGroup = try config.requiredString("DatasetGroupArn", .forecastARN)
        guard let frequency = try input.optionalString("ForecastFrequency", length: 1...5) else {
            throw AWSError.invalidInput("ForecastFrequency: is required for a new predictor.")
        }
        guard let horizon = try input.optionalInt("ForecastHorizon", range: 1...Self.horizonMax) else {
            throw AWSError.invalidInput("ForecastHorizon: is required for a new predictor.")
        }
        let parsed = try FrequencyInput.check(frequency, member: "ForecastFrequency")
        self.frequency = frequency
        self.horizon = horizon
        forecastTypes = try ForecastTypesInput.read(input) ?? ForecastTypesInput.defaults
        dimensions = try input.optionalStrings("ForecastDimensions", count: 1...10) ?? []
        alignment = try AlignmentInput.read(input, frequency: parsed)
        let attributes = try config.optionalObjects("AttributeConfigs", count: 0...50) ?? []
        guard attributes.count <= 1 else {
            throw AWSError.invalidInput("AttributeConfigs: only the target can be transformed by this version.")
        }
        transformedAttribute = try attributes.first?.requiredString("AttributeName", .name)
        transformations = try TransformationsInput.effective(
            try attributes.first?.optionalStringMap("Transformations") ?? [:], member: "Transformations")
        optimizationMetric =
            try input.optionalEnum("OptimizationMetric", as: OptimizationMetric.self)?.rawValue
            ?? OptimizationMetric.AverageWeightedQuantileLoss.rawValue
        backtestOffset = horizon
    }

    /// The request as Describe shows it, defaults included.
    func autoPredictorRequest(target: String) -> JSONObject {
        var request: JSONObject = [
            "ForecastHorizon": .int(Int64(horizon)), "ForecastTypes": .array(forecastTypes.map { .string($0) }),
            "ForecastFrequency": .string(frequency),
        ]
        if !dimensions.isEmpty { request["ForecastDimensions"] = .array(dimensions.map { .string($0) }) }
        request["DataConfig"] = [
            "DatasetGroupArn": .string(datasetGroup),
            "AttributeConfigs": [
                [
                    "AttributeName": .string(target),
                    "Transformations": .object(TransformationsInput.request(transformations)),
                ]
            ],
        ]
        if let alignment {
            var boundary = JSONObject()
            boundary.append("Month", ifPresent: alignment.month.map { .string($0) })
            boundary.append("DayOfMonth", ifPresent: alignment.dayOfMonth.map { .int(Int64($0)) })
            boundary.append("DayOfWeek", ifPresent: alignment.dayOfWeek.map { .string($0) })
            boundary.append("Hour", ifPresent: alignment.hour.map { .int(Int64($0)) })
            request["TimeAlignmentBoundary"] = .object(boundary)
        }
        request["OptimizationMetric"] = .string(optimizationMetric)
        return request
    }
}
