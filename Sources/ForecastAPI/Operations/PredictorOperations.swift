import AWSProtocol
import Catalog
import Forecasting
import FoundationEssentials
import Jobs
import Logging
import Pipelines
import TimeSeries

extension ForecastOperation {
    /// `CreateAutoPredictor`: a new predictor, or one retrained from `ReferencePredictorArn` on the newest imports.
    static let createAutoPredictor = ForecastOperation("CreateAutoPredictor") { input, service in
        let name = try input.requiredString("PredictorName", .name)
        if let reference = try input.optionalString("ReferencePredictorArn", .forecastARN) {
            return try await retrain(name: name, reference: reference, input, service)
        }
        let encryption = try EncryptionConfigInput(in: input, required: service.configuration.requireCustomerKey).encryption
        return try await train(
            arnPath: "\(name)_\(ULID.make())", name: name, training: try TrainingInput(autoPredictor: input),
            encryption: encryption,
            tags: try input.tags(), service
        ) { training, target in
            (training.autoPredictorRequest(target: target), true)
        }
    }

    /// `CreatePredictor`: the older form of the same.
    static let createPredictor = ForecastOperation("CreatePredictor") { input, service in
        let name = try input.requiredString("PredictorName", .name)
        let encryption = try EncryptionConfigInput(in: input, required: service.configuration.requireCustomerKey).encryption
        let training = try TrainingInput(predictor: input)
        let algorithm = try input.optionalString("AlgorithmArn")
        return try await train(
            arnPath: name, name: name, training: training, encryption: encryption, tags: try input.tags(), service
        ) { training, target in
            (training.predictorRequest(target: target, algorithm: algorithm), false)
        }
    }

    private static func retrain(
        name: String, reference: String, _ input: JSONObject, _ service: ForecastService
    ) async throws -> OperationPlan {
        for member in input.keys where !["PredictorName", "ReferencePredictorArn", "Tags"].contains(member) {
            throw AWSError.invalidInput("\(member): is not allowed beside ReferencePredictorArn.")
        }
        // All of the request is read before anything that is stored, so that what is wrong with it is told alike whatever is there.
        let tags = try input.tags()
        guard let predictor = try await service.catalog.find(reference), predictor.type == .predictor else {
            return OperationPlan(resource: service.arn(.predictor, name), named: reference) { caller in
                try await service.requireFreeName(ofPredictor: name, account: caller.account)
                throw AWSError.resourceNotFound(reference)
            }
        }
        var training: TrainingInput
        do {
            training =
                try predictor.isAutoPredictor
                ? TrainingInput(autoPredictor: predictor.request) : TrainingInput(upgrading: predictor.request)
        } catch {
            // Of what is stored nothing is told before it is known who asks.
            return OperationPlan(resource: service.arn(.predictor, name), named: reference) { _ in throw error }
        }
        training.horizonRule = .retrainedOrAutoML
        var plan = try await train(
            arnPath: "\(name)_\(ULID.make())", name: name, training: training,
            encryption: predictor.encryption, tags: tags, service,
            extra: ["ReferencePredictorSummary": ["Arn": .string(reference), "State": "Active"]]
        ) { training, target in
            (training.autoPredictorRequest(target: target), true)
        }
        plan.named = reference
        let perform = plan.perform
        plan.perform = { caller in
            try await service.requireFreeName(ofPredictor: name, account: caller.account)
            try predictor.requireActive("to be retrained")
            return try await perform(caller)
        }
        return plan
    }

    private static func train(
        arnPath: String, name: String, training: TrainingInput, encryption: Resource.Encryption?, tags: JSONValue?,
        _ service: ForecastService, extra: JSONObject = [:],
        request makeRequest: @escaping @Sendable (TrainingInput, _ target: String) -> (JSONObject, isAuto: Bool)
    ) async throws -> OperationPlan {
        // The group, its dataset and imports are read before the caller is known: their keys belong to the questions.
        let group = try await training.group(service)
        var inputEncryptions: [Resource.Encryption] = []
        for arn in group?.datasetARNs ?? [] {
            if let encryption = try await service.catalog.find(arn)?.encryption { inputEncryptions.append(encryption) }
        }
        var questions = encryption?.questions ?? []
        for input in inputEncryptions { questions += OperationPlan.Question.useKey(input.keyARN) }

        return OperationPlan(
            resource: service.arn(.predictor, arnPath), named: training.datasetGroup, questions: questions
        ) { caller in
            let arn = service.arn(.predictor, arnPath, account: caller.account)
            try await service.requireFree(.predictor, arn)
            try await service.requireFreeName(ofPredictor: name, account: caller.account)
            let source = try await training.source(of: group, caller: caller, service)
            let target = source.layout.targetColumn.map { source.layout.schema.attributes[$0].name } ?? ""
            var (request, isAuto) = makeRequest(training, target)
            let inherited = service.configuration.inheritDatasetKey ? source.dataset.encryption : nil
            let used = encryption ?? inherited
            request.append("EncryptionConfig", ifPresent: used?.request)
            request.append("Tags", ifPresent: tags)
            var attributes: JSONObject = [
                "DatasetGroupArn": .string(training.datasetGroup), "IsAutoPredictor": .bool(isAuto),
                "DatasetImportJobArns": .array(source.imports.map { .string($0.arn) }),
            ]
            for (member, value) in extra { attributes[member] = value }
            let resource = Resource(
                arn: arn, account: caller.account, type: .predictor, name: name, incarnation: UUID(), status: .createPending,
                parentARN: training.datasetGroup, request: request, attributes: attributes, encryption: used, job: UUID())
            if used == nil, source.dataset.encryption != nil {
                service.logger.warning(
                    "A predictor without a key is trained on a dataset with one.", metadata: ["resource": "\(resource.arn)"])
            }
            var inputs: [ArtifactInput] = []
            for item in source.imports {
                try await service.keys.check(item.encryption, for: resource, reading: true, caller: caller)
                guard let artifact = try await service.artifact(of: item) else {
                    throw AWSError.resourceInUse("\(item.arn) has no artifact to train on.")
                }
                inputs.append(artifact)
            }
            let output = try await service.outputKey(of: resource, caller: caller)
            let document = try training.document(source: source, inputs: inputs, output: output)
            try await service.accept(resource, kind: .train, document: document, caller: caller)
            return ["PredictorArn": .string(resource.arn)]
        }
    }

    static let describeAutoPredictor = describe(.predictor, named: "DescribeAutoPredictor") { resource, answer, service, _ in
        guard resource.isAutoPredictor else {
            throw AWSError.invalidInput("PredictorArn: was made by CreatePredictor; use DescribePredictor.")
        }
        if let reference = answer["ReferencePredictorSummary"]?["Arn"]?.stringValue,
            try await service.catalog.find(reference) == nil
        {
            answer["ReferencePredictorSummary"] = ["Arn": .string(reference), "State": "Deleted"]
        }
        for member in ["DatasetGroupArn", "IsAutoPredictor"] { answer[member] = nil }
    }

    static let describePredictor = describe(.predictor) { resource, answer, _, _ in
        guard !resource.isAutoPredictor else {
            throw AWSError.invalidInput("PredictorArn: was made by CreateAutoPredictor; use DescribeAutoPredictor.")
        }
        answer["DatasetGroupArn"] = nil
    }

    /// `GetAccuracyMetrics`: read out of the predictor's artifact, under the caller's own rights on its key.
    static let getAccuracyMetrics = ForecastOperation("GetAccuracyMetrics", readOnly: true) { input, service in
        let arn = try input.requiredString("PredictorArn", .forecastARN)
        let predictor = try await service.catalog.find(arn)
        return OperationPlan(
            resource: arn, named: arn,
            questions: predictor?.encryption.map { OperationPlan.Question.useKey($0.keyARN) } ?? []
        ) { caller in
            guard let predictor, predictor.type == .predictor else { throw AWSError.resourceNotFound(arn) }
            try predictor.requireActive("to have accuracy metrics")
            guard let artifact = try await service.artifact(of: predictor) else {
                throw AWSError.resourceInUse("\(arn) has no artifact.")
            }
            let results = try await service.queries.evaluationResults(artifact, account: caller.account)
            var answer: JSONObject = [
                "PredictorEvaluationResults": .array(results), "IsAutoPredictor": .bool(predictor.isAutoPredictor),
            ]
            answer.append("OptimizationMetric", ifPresent: predictor.request["OptimizationMetric"])
            return answer
        }
    }
}

extension Resource {
    var isAutoPredictor: Bool { attributes["IsAutoPredictor"]?.boolValue ?? false }
}
