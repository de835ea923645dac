package import AWSProtocol

/// All checks on one cluster, one after the other.
package struct Verification: Sendable {
    package static let invariants: [any Invariant] = [
        AcceptedJobs(), PublishedResults(), LiveLeases(), EndedJobGrants(), AuditCoverage(), Canaries(), Bounds(),
        DocumentedErrors(),
    ]

    package struct Result: Sendable {
        package let name: String
        package let title: String
        package let finding: Finding

        package init(name: String, title: String, finding: Finding) {
            self.name = name
            self.title = title
            self.finding = finding
        }
    }

    package private(set) var results: [Result] = []

    package var holds: Bool { results.allSatisfy(\.finding.holds) }

    package static func run(_ cluster: VerifiedCluster) async throws -> Verification {
        var verification = Verification()
        for invariant in invariants {
            let finding = try await invariant.check(cluster)
            verification.results.append(Result(name: invariant.name, title: invariant.title, finding: finding))
        }
        return verification
    }

    /// `I3: …` for everything that does not hold.
    package var violations: [String] {
        results.flatMap { result in result.finding.violations.map { "\(result.name): \($0)" } }
    }

    package var json: JSONValue {
        [
            "holds": .bool(holds),
            "invariants": .array(
                results.map { result in
                    [
                        "name": .string(result.name), "title": .string(result.title), "holds": .bool(result.finding.holds),
                        "checked": .object(JSONObject(result.finding.checked.map { ($0.what, .int(Int64($0.count))) })),
                        "violations": .int(Int64(result.finding.violationCount)),
                        "found": .strings(result.finding.violations), "notes": .strings(result.finding.notes),
                    ]
                }),
        ]
    }
}
