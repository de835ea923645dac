import AWSProtocol
import Catalog
import FoundationEssentials
import Postgres
import TimeSeries

extension ForecastOperation {
    /// `CreateDatasetGroup`: datasets of one domain, at most one of each type.
    static let createDatasetGroup = ForecastOperation("CreateDatasetGroup") { input, service in
        let name = try input.requiredString("DatasetGroupName", .name)
        let domain = try input.requiredEnum("Domain", as: Domain.self)
        let datasets = try datasetARNs(in: input, required: false)
        var request: JSONObject = ["Domain": .string(domain.rawValue)]
        request.append("Tags", ifPresent: try input.tags())

        return OperationPlan(resource: service.arn(.datasetGroup, name)) { [request] caller in
            let resource = Resource(
                arn: service.arn(.datasetGroup, name, account: caller.account), account: caller.account, type: .datasetGroup,
                name: name, incarnation: UUID(), status: .active, request: request, attributes: members(datasets))
            try await service.requireFree(.datasetGroup, resource.arn)
            try await service.pool.transaction { connection in
                try await check(datasets, domain: domain.rawValue, caller: caller, on: connection)
                try await service.insert(resource, on: connection)
            }
            return ["DatasetGroupArn": .string(resource.arn)]
        }
    }

    /// `UpdateDatasetGroup`: the list given replaces the one there was.
    static let updateDatasetGroup = ForecastOperation("UpdateDatasetGroup") { input, service in
        let arn = try input.requiredString("DatasetGroupArn", .forecastARN)
        let datasets = try datasetARNs(in: input, required: true)
        return OperationPlan(resource: arn, named: arn) { caller in
            try await service.pool.transaction { connection in
                guard let group = try await Catalog.lock(arn, on: connection), group.type == .datasetGroup else {
                    throw AWSError.resourceNotFound(arn)
                }
                guard group.status == .active || group.status == .updateFailed else {
                    throw AWSError.resourceInUse("\(arn) can't be updated while it is \(group.status.rawValue).")
                }
                let domain = group.request["Domain"]?.stringValue ?? ""
                try await check(datasets, domain: domain, caller: caller, on: connection)
                try await Catalog.setAttributes(arn, members(datasets), on: connection)
            }
            return [:]
        }
    }

    private static func members(_ datasets: [String]) -> JSONObject {
        ["DatasetArns": .array(datasets.map { .string($0) })]
    }

    private static func datasetARNs(in input: JSONObject, required: Bool) throws -> [String] {
        let arns = try required ? input.requiredStrings("DatasetArns") : input.optionalStrings("DatasetArns") ?? []
        for arn in arns {
            if let violation = StringRule.forecastARN.violation(of: arn) {
                throw AWSError.validation(field: "DatasetArns", rule: violation)
            }
        }
        guard Set(arns).count == arns.count else { throw AWSError.invalidInput("DatasetArns: each dataset may stand once.") }
        return arns
    }

    private static func check(
        _ arns: [String], domain: String, caller: Caller, on connection: PostgresConnection
    ) async throws {
        var types: Set<String> = []
        for arn in arns {
            guard let dataset = try await Catalog.find(arn, on: connection), dataset.type == .dataset,
                dataset.account == caller.account
            else { throw AWSError.resourceNotFound(arn) }
            guard dataset.request["Domain"]?.stringValue == domain else {
                throw AWSError.invalidInput("DatasetArns: \(arn) has another domain than the group.")
            }
            guard types.insert(dataset.request["DatasetType"]?.stringValue ?? "").inserted else {
                throw AWSError.invalidInput("DatasetArns: a group holds at most one dataset of each type.")
            }
        }
    }
}
