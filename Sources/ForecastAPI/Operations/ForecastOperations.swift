import AWSProtocol
import Catalog
import FoundationEssentials
import Jobs
import Pipelines
import TimeSeries

extension ForecastOperation {
    /// `CreateForecast`: a predictor's artifact in, a forecast out, both under the predictor's key.
    static let createForecast = ForecastOperation("CreateForecast") { input, service in
        let name = try input.requiredString("ForecastName", .name)
        let predictorARN = try input.requiredString("PredictorArn", .forecastARN)
        let types = try ForecastTypesInput.read(input)
        guard input["TimeSeriesSelector"] == nil else {
            throw AWSError.invalidInput("TimeSeriesSelector: is not supported by this version; all series are forecast.")
        }
        let tags = try input.tags()
        let predictor = try await service.catalog.find(predictorARN)

        return OperationPlan(
            resource: service.arn(.forecast, name), named: predictorARN,
            questions: predictor?.encryption.map { OperationPlan.Question.useKey($0.keyARN) } ?? []
        ) { caller in
            guard let predictor, predictor.type == .predictor else { throw AWSError.resourceNotFound(predictorARN) }
            let arn = service.arn(.forecast, name, account: caller.account)
            try await service.requireFree(.forecast, arn)
            try predictor.requireActive("to forecast with")
            let inherited = predictor.request["ForecastTypes"]?.arrayValue?.compactMap(\.stringValue)
            let used = types ?? inherited ?? ForecastTypesInput.defaults
            var request: JSONObject = [
                "ForecastTypes": .array(used.map { .string($0) }), "PredictorArn": .string(predictorARN),
            ]
            request.append("Tags", ifPresent: tags)
            var attributes = JSONObject()
            attributes.append("DatasetGroupArn", ifPresent: predictor.attributes["DatasetGroupArn"])
            attributes["CreatedUsingAutoPredictor"] = .bool(predictor.isAutoPredictor)
            let resource = Resource(
                arn: arn, account: caller.account, type: .forecast, name: name, incarnation: UUID(), status: .createPending,
                parentARN: predictor.arn, request: request, attributes: attributes, encryption: predictor.encryption,
                job: UUID())
            guard let artifact = try await service.artifact(of: predictor) else {
                throw AWSError.resourceInUse("\(predictorARN) has no artifact.")
            }
            let output = try await service.outputKey(of: resource, caller: caller)
            let document = ForecastDocument(predictor: artifact, forecastTypes: used, output: output)
            try await service.accept(resource, kind: .forecast, document: document, caller: caller)
            return ["ForecastArn": .string(resource.arn)]
        }
    }

    static let describeForecast = describe(.forecast) { _, answer, _, _ in answer["CreatedUsingAutoPredictor"] = nil }

    /// `QueryForecast` of the query API: one series of a forecast.
    static let queryForecast = ForecastOperation("QueryForecast", readOnly: true) { input, service in
        let arn = try input.requiredString("ForecastArn", .forecastARN)
        guard let filters = try input.optionalStringMap("Filters"), (1...50).contains(filters.count) else {
            throw AWSError.invalidInput("Filters: give 1 to 50 attributes, the item id among them.")
        }
        // A value may be empty: rows may have dimensions that are.
        guard filters.allSatisfy({ (1...256).contains($0.key.utf8.count) && $0.value.utf8.count <= 256 }) else {
            throw AWSError.invalidInput("Filters: keys have 1 to 256 bytes, values at most 256.")
        }
        guard input["NextToken"] == nil else { throw AWSError.invalidNextToken }
        let start = try queryDate(input, "StartDate")
        let end = try queryDate(input, "EndDate")
        if let start, let end, start > end {
            throw AWSError.invalidInput("StartDate: must not lie after EndDate.")
        }
        let forecast = try await service.catalog.find(arn)
        return OperationPlan(
            resource: arn, named: arn,
            questions: forecast?.encryption.map { OperationPlan.Question.useKey($0.keyARN) } ?? []
        ) { caller in
            guard let forecast, forecast.type == .forecast else { throw AWSError.resourceNotFound(arn) }
            try forecast.requireActive("to be queried")
            guard let artifact = try await service.artifact(of: forecast) else {
                throw AWSError.resourceInUse("\(arn) has no artifact.")
            }
            let predictions = try await service.queries.predictions(
                artifact, account: caller.account, filters: filters, start: start, end: end)
            return ["Forecast": ["Predictions": .object(predictions)]]
        }
    }

    private static func queryDate(_ input: JSONObject, _ member: String) throws -> Int64? {
        guard let text = try input.optionalString(member, length: 1...40) else { return nil }
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        guard parts.count == 2, let seconds = TimestampFormat.dateTime.seconds("\(parts[0]) \(parts[1])") else {
            throw AWSError.invalidInput("\(member): must have the form yyyy-MM-dd'T'HH:mm:ss.")
        }
        return seconds
    }
}
