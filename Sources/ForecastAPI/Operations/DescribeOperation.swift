import AWSProtocol
import Catalog

extension ForecastOperation {
    typealias Refinement = @Sendable (Resource, inout JSONObject, ForecastService) async throws -> Void

    /// `Describe<Word>`: reads the row as it is now, so that a client that polls sees each change.
    static func describe(
        _ shape: ResourceShape, named name: String? = nil, refine: Refinement? = nil
    ) -> ForecastOperation {
        ForecastOperation(name ?? "Describe\(shape.word)", readOnly: true) { input, service in
            let arn = try input.requiredString(shape.arnMember, .forecastARN)
            return OperationPlan(resource: arn, owner: ARN(arn)?.account) { _ in
                let resource = try await service.find(arn, shape.type)
                var answer = shape.description(of: resource, now: try await service.catalog.now())
                try await refine?(resource, &answer, service)
                return answer
            }
        }
    }
}
