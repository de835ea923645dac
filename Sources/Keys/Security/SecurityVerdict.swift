import struct FoundationEssentials.UUID

/// How a database compares with what its vault has noted of it. Pure.
package enum SecurityVerdict: Sendable, Equatable {
    /// As far as the vault, or further.
    case current
    /// What is missing, for people.
    case behind([String])

    /// - Parameters:
    ///   - noted: by the vault.
    ///   - unknown: noted heads whose record the database does not have, or has another in its place.
    static func compare(noted: SecurityState, database: SecurityState, unknown: [SecurityState.Head]) -> SecurityVerdict {
        // An accepted restore binds from then on; the vault may not have heard of it yet.
        if database.incarnation > noted.incarnation { return .current }
        var findings: [String] = []
        if database.incarnation < noted.incarnation {
            findings.append(
                "the database is of incarnation \(database.incarnation), the vault has noted \(noted.incarnation)")
        }
        if database.epoch < noted.epoch {
            findings.append("the security epoch is \(database.epoch), the vault has noted \(noted.epoch)")
        }
        if database.records < noted.records {
            findings.append("the audit trail has \(database.records) records, the vault has noted \(noted.records)")
        }
        for head in unknown {
            findings.append(
                "record \(head.sequence) of audit shard \(head.shard.uuidString.lowercased()) is missing or another one")
        }
        return findings.isEmpty ? .current : .behind(findings)
    }
}
