import AWSProtocol
import Catalog
import FoundationEssentials

extension ForecastOperation {
    private static let pageMax = 100

    /// `List<Words>`: newest first, filters joined by AND, tokens bound to caller and request.
    static func list(_ shape: ResourceShape) -> ForecastOperation {
        let name = "List\(shape.listMember)"
        return ForecastOperation(name, readOnly: true) { input, service in
            let limit = try input.optionalInt("MaxResults", range: 1...pageMax) ?? pageMax
            let token = try input.optionalString("NextToken", .nextToken)
            let conditions = try conditions(in: input, shape)
            return OperationPlan(resource: "*") { caller in
                let now = try await service.catalog.now()
                let scope = "\(caller.account) \(name) \(conditions)"
                let cursor = try token.map { try service.tokens.read($0, scope: scope, now: now) }
                let page = try await service.catalog.list(
                    account: caller.account, type: shape.type, conditions: conditions, after: cursor, limit: limit)
                var answer: JSONObject = [
                    shape.listMember: .array(page.resources.map { .object(shape.summary(of: $0, now: now)) })
                ]
                if let next = page.next {
                    answer["NextToken"] = .string(service.tokens.make(next, scope: scope, now: now))
                }
                return answer
            }
        }
    }

    private static func conditions(in input: JSONObject, _ shape: ResourceShape) throws -> [Catalog.Condition] {
        try (input.optionalObjects("Filters", count: 0...10) ?? []).map { filter in
            let key = try filter.requiredString("Key", length: 1...256)
            guard let field = shape.filters[key] else {
                let known = shape.filters.keys.sorted().joined(separator: ", ")
                throw AWSError.invalidInput(
                    known.isEmpty
                        ? "Filters: this list takes no filters."
                        : "Filters: the key must be one of \(known).")
            }
            let condition = try filter.requiredString("Condition", length: 1...16)
            guard condition == "IS" || condition == "IS_NOT" else {
                throw AWSError.validation(field: "Condition", rule: "Member must satisfy enum value set: [IS, IS_NOT]")
            }
            return Catalog.Condition(
                field: field, value: try filter.requiredString("Value", length: 1...256), isEqual: condition == "IS")
        }
    }
}
