import AWSProtocol
import Catalog
import FoundationEssentials
import TimeSeries

extension ForecastOperation {
    /// `CreateDataset`: a schema and the key that its imports will lie under.
    static let createDataset = ForecastOperation("CreateDataset") { input, service in
        let name = try input.requiredString("DatasetName", .name)
        let domain = try input.requiredEnum("Domain", as: Domain.self)
        let type = try input.requiredEnum("DatasetType", as: DatasetType.self)
        let schema = try SchemaInput(input)
        let frequency = try input.optionalString("DataFrequency", length: 1...5)
        if let frequency { try FrequencyInput.check(frequency, member: "DataFrequency") }
        guard type == .targetTimeSeries else {
            throw AWSError.invalidInput("DatasetType: this version takes TARGET_TIME_SERIES only.")
        }
        try schema.check(domain: domain, type: type)
        let encryption = try EncryptionConfigInput(in: input, required: service.configuration.requireCustomerKey).encryption

        var request: JSONObject = ["Domain": .string(domain.rawValue), "DatasetType": .string(type.rawValue)]
        request.append("DataFrequency", ifPresent: frequency.map { .string($0) })
        request["Schema"] = schema.request
        request.append("EncryptionConfig", ifPresent: encryption?.request)
        request.append("Tags", ifPresent: try input.tags())

        return OperationPlan(
            resource: service.arn(.dataset, name), questions: encryption?.questions ?? []
        ) { [request] caller in
            let resource = Resource(
                arn: service.arn(.dataset, name, account: caller.account), account: caller.account, type: .dataset, name: name,
                incarnation: UUID(), status: .active, request: request, encryption: encryption)
            try await service.requireFree(.dataset, resource.arn)
            try await service.keys.check(resource.encryption, for: resource, caller: caller)
            try await service.insert(resource)
            return ["DatasetArn": .string(resource.arn)]
        }
    }
}
