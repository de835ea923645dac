package import AWSProtocol

package import struct FoundationEssentials.Date

/// What verification found.
package struct AuditReport: Sendable {
    package var shards = 0
    package var records: Int64 = 0
    /// Lines of exported heads that were read; nil where there are none to compare with.
    package var exports: Int?
    package var lastExport: Date?
    /// Half lines at the ends of files, which a crash leaves.
    package var tornLines = 0
    /// Of each shard the first bad place, and what is wrong with the files of exported heads.
    package var findings: [AuditFinding] = []
    /// Where whole shards, or the ends of some with their heads, are gone and nothing else is wrong: the database looks like
    /// one from before this time.
    package var rolledBackTo: Date?
    /// What an operator accepted the loss of.
    package var losses: [HeadsEvidence.Loss] = []

    package var isIntact: Bool { findings.isEmpty }

    package var json: JSONObject {
        [
            "intact": .bool(isIntact), "shards": .int(Int64(shards)), "records": .int(records),
            "exports": exports.map { .int(Int64($0)) } ?? .null,
            "lastExport": .optional(lastExport.map { AWSTimestamp.extended($0) }), "tornLines": .int(Int64(tornLines)),
            "rolledBackTo": .optional(rolledBackTo.map { AWSTimestamp.extended($0) }),
            "findings": .array(findings.map { .object($0.json) }),
            "acceptedLosses": .array(
                losses.map {
                    [
                        "shard": .string($0.head.shard.uuidString.lowercased()), "sequence": .int($0.head.sequence),
                        "acceptedAt": .string(AWSTimestamp.extended($0.acceptedAt)),
                    ]
                }),
        ]
    }
}
