package import AWSProtocol

/// What came of asking everything that a process depends on.
package struct ReadinessReport: Sendable {
    package struct Finding: Sendable, Equatable {
        package let name: String
        /// Nil where it answered.
        package let failure: String?
        package let milliseconds: Int
    }

    package let process: String
    package let findings: [Finding]
    package let isStopping: Bool

    package var isReady: Bool { !isStopping && findings.allSatisfy { $0.failure == nil } }

    /// `{"process": …, "ready": …, "stopping": …, "checks": [{"name": …, "ok": …, "why": …, "milliseconds": …}]}`
    package var json: JSONObject {
        JSONObject([
            ("process", .string(process)), ("ready", .bool(isReady)), ("stopping", .bool(isStopping)),
            (
                "checks",
                .array(
                    findings.map { finding in
                        var object = JSONObject([("name", .string(finding.name)), ("ok", .bool(finding.failure == nil))])
                        if let failure = finding.failure { object["why"] = .string(failure) }
                        object["milliseconds"] = .int(Int64(finding.milliseconds))
                        return .object(object)
                    })
            ),
        ])
    }
}
