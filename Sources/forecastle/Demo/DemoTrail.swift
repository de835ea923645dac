import AWSProtocol

/// Reads the audit trail as its owner does, by LookupEvents.
struct DemoTrail: Sendable {
    /// Bound of one lookup, 50 events a page: beyond it the oldest are left out.
    static let pagesMax = 400

    let client: EnvironmentClient

    /// The lives of all grants on a key.
    func lives(of access: DemoCustomer.Access) async throws -> GrantLives {
        GrantLives(role: try await events(naming: access.role), key: try await events(naming: access.key))
    }

    /// Oldest first.
    private func events(naming resource: String) async throws -> [TrailEvent] {
        var events: [TrailEvent] = []
        var token: String?
        for _ in 0..<Self.pagesMax {
            var request: JSONObject = [
                "LookupAttributes": [["AttributeKey": "ResourceName", "AttributeValue": .string(resource)]]
            ]
            request.append("NextToken", ifPresent: token.map { .string($0) })
            let page = try await client.call(.cloudtrail, "LookupEvents", request)
            for event in page["Events"]?.arrayValue ?? [] {
                if let text = event["CloudTrailEvent"]?.stringValue, case .object(let record) = try JSONValue.parse(text) {
                    events.append(TrailEvent(record))
                }
            }
            token = page["NextToken"]?.stringValue
            if token == nil { break }
        }
        return events.reversed()
    }
}
