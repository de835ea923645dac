import AWSProtocol
import Catalog

extension ForecastOperation {
    typealias Refinement = @Sendable (Resource, inout JSONObject, ForecastService, Caller) async throws -> Void

    /// `Describe<Word>`: reads the row as it is now, so that a client that polls sees each change.
    ///
    /// - Parameter usesKey: the refinement reads out of the artifact, which is for callers alone who may use its key.
    static func describe(
        _ shape: ResourceShape, named name: String? = nil, usesKey: Bool = false, refine: Refinement? = nil
    ) -> ForecastOperation {
        ForecastOperation(name ?? "Describe\(shape.word)", readOnly: true) { input, service in
            let arn = try input.requiredString(shape.arnMember, .forecastARN)
            var questions: [OperationPlan.Question] = []
            if usesKey, let key = try await service.catalog.find(arn)?.encryption?.keyARN {
                questions = OperationPlan.Question.useKey(key)
                for index in questions.indices { questions[index].isOptional = true }
            }
            return OperationPlan(resource: arn, named: arn, questions: questions) { caller in
                let resource = try await service.find(arn, shape.type)
                var answer = shape.description(of: resource, now: try await service.catalog.now())
                try await refine?(resource, &answer, service, caller)
                return answer
            }
        }
    }
}
