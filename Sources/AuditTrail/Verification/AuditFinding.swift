package import AWSProtocol

package import struct FoundationEssentials.Date
package import struct FoundationEssentials.UUID

/// Something that verification found wrong.
package struct AuditFinding: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A record's text or its stored hash was changed.
        case edited
        /// A record between two others is not there.
        case missing
        /// A record does not follow the one before it: records were exchanged, or one was replaced together with its hash.
        case displaced
        /// What look-ups search by differs from what the record says.
        case columnsDiffer = "columns-differ"
        /// The last records that the shard's head tells of are not there.
        case tailMissing = "tail-missing"
        /// The records and the shard's head do not agree.
        case headDiffers = "head-differs"
        /// There are records of a shard that has no head.
        case headMissing = "head-missing"
        /// The database cannot read its page.
        case unreadable
        /// A shard whose head was exported is not in the database.
        case shardRemoved = "shard-removed"
        /// The shard ends before a head that was exported: its end was cut off with its head, or the database is an older one.
        case behindExport = "behind-export"
        /// The shard has another record where a head was exported: it was rewritten from there or before.
        case rewritten
        /// A file of exported heads was altered, or one is missing.
        case exportAltered = "export-altered"
    }

    package var kind: Kind
    package var shard: UUID?
    /// The first bad place of the shard.
    package var sequence: Int64?
    package var eventID: UUID?
    package var file: String?
    package var line: Int?
    /// What is wrong, to be read after the place.
    package var message: String

    init(_ kind: Kind, shard: UUID? = nil, sequence: Int64? = nil, eventID: UUID? = nil, _ message: String) {
        self.kind = kind
        self.shard = shard
        self.sequence = sequence
        self.eventID = eventID
        self.message = message
    }

    static func file(_ name: String, _ line: Int?, _ message: String) -> AuditFinding {
        var finding = AuditFinding(.exportAltered, message)
        finding.file = name
        finding.line = line
        return finding
    }

    /// `shard 0b…, record 17: …`
    package var description: String {
        var place: [String] = []
        if let file { place.append("file \(file)") }
        if let line { place.append("line \(line)") }
        if let shard { place.append("shard \(shard.uuidString.lowercased())") }
        if let sequence { place.append("record \(sequence)") }
        if let eventID { place.append("event \(eventID.uuidString.lowercased())") }
        return place.joined(separator: ", ") + ": " + message
    }

    package var json: JSONObject {
        [
            "kind": .string(kind.rawValue), "shard": .optional(shard?.uuidString.lowercased()),
            "sequence": sequence.map { .int($0) } ?? .null, "eventId": .optional(eventID?.uuidString.lowercased()),
            "file": .optional(file), "line": line.map { .int(Int64($0)) } ?? .null, "message": .string(message),
        ]
    }

    static func text(_ time: Date) -> String { AWSTimestamp.extended(time) }
}
