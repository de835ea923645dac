import AWSProtocol
import Catalog
import FoundationEssentials
import Jobs
import Pipelines

extension ForecastOperation {
    /// `CreateDatasetImportJob`: copies CSV from the customer's bucket under the dataset's key.
    static let createDatasetImportJob = ForecastOperation("CreateDatasetImportJob") { input, service in
        let name = try input.requiredString("DatasetImportJobName", .name)
        let datasetARN = try input.requiredString("DatasetArn", .forecastARN)
        let source = try S3ConfigInput(in: input, member: "DataSource")
        let format = try input.optionalString("Format", length: 1...7) ?? "CSV"
        guard format == "CSV" else { throw AWSError.invalidInput("Format: this version imports CSV only.") }
        let mode = try input.optionalString("ImportMode", length: 1...11) ?? "FULL"
        guard mode == "FULL" || mode == "INCREMENTAL" else {
            throw AWSError.validation(field: "ImportMode", rule: "Member must satisfy enum value set: [FULL, INCREMENTAL]")
        }
        let timestampFormat = try input.optionalString("TimestampFormat", length: 1...256)
        if let timestampFormat, !["yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss"].contains(timestampFormat) {
            throw AWSError.invalidInput("TimestampFormat: must be yyyy-MM-dd or yyyy-MM-dd HH:mm:ss.")
        }
        for member in ["TimeZone", "GeolocationFormat"] where input[member] != nil {
            throw AWSError.invalidInput("\(member): geolocation is not supported by this version.")
        }
        if try input.optionalBool("UseGeolocationForTimeZone") == true {
            throw AWSError.invalidInput("UseGeolocationForTimeZone: geolocation is not supported by this version.")
        }

        var request: JSONObject = ["DatasetArn": .string(datasetARN)]
        request.append("TimestampFormat", ifPresent: timestampFormat.map { .string($0) })
        request["DataSource"] = .object(source.request)
        request["Format"] = .string(format)
        request["ImportMode"] = .string(mode)
        request.append("Tags", ifPresent: try input.tags())

        // The dataset is read before the caller is known; nothing of it is told to any other account.
        let dataset = try await service.catalog.find(datasetARN)
        let questions =
            source.questions(.read(isGuarded: service.configuration.bucketsAreGuarded)) + (dataset?.encryption?.questions ?? [])

        return OperationPlan(
            resource: datasetARN, named: datasetARN, questions: questions
        ) { [request] caller in
            guard let dataset, dataset.type == .dataset else { throw AWSError.resourceNotFound(datasetARN) }
            let arn = service.arn(.datasetImportJob, "\(dataset.name)/\(name)", account: caller.account)
            try await service.requireFree(.datasetImportJob, arn)
            try dataset.requireActive("to be imported into")
            try service.checkOwner(of: source.bucket, caller: caller, member: "DataSource")
            if let key = source.location.keyARN, let encryption = dataset.encryption,
                key != encryption.keyARN || source.location.roleARN != encryption.roleARN
            {
                throw AWSError.invalidInput(
                    "DataSource: its KMSKeyArn and RoleArn must be those of the dataset's EncryptionConfig.")
            }
            let resource = Resource(
                arn: arn, account: caller.account, type: .datasetImportJob, name: name, incarnation: UUID(),
                status: .createPending, parentARN: dataset.arn, request: request, encryption: dataset.encryption, job: UUID())
            try await service.keys.checkRole(source.location.roleARN, for: resource, caller: caller)
            let output = try await service.outputKey(of: resource, caller: caller)
            let document = ImportDocument(
                dataset: dataset.arn, domain: dataset.request["Domain"]?.stringValue ?? "",
                datasetType: dataset.request["DatasetType"]?.stringValue ?? "",
                schema: try SchemaInput(stored: dataset).attributes, source: source.location,
                timestampFormat: timestampFormat, output: output)
            try await service.accept(resource, kind: .import, document: document, caller: caller)
            return ["DatasetImportJobArn": .string(resource.arn)]
        }
    }

    /// Adds what only the manifest knows. A key that the service or the caller can't use leaves it out: Describe never fails
    /// for want of a key.
    static let describeDatasetImportJob = describe(.datasetImportJob, usesKey: true) { resource, answer, service, caller in
        guard resource.status == .active, !caller.lacksOptionalRights,
            let artifact = try await service.artifact(of: resource),
            let statistics = try? await service.queries.importStatistics(artifact, account: resource.account)
        else { return }
        answer["FieldStatistics"] = .object(statistics.fields)
        answer["DataSize"] = .double(statistics.gigabytes)
    }
}
