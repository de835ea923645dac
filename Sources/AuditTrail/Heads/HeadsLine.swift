import AWSProtocol
import Crypto
package import FoundationEssentials

/// One export of heads: a line of JSON, signed, with the digest of the line before it.
///
/// `{"version":1,"kind":…,"writer":…,"number":…,"time":…,"milliseconds":…,"previous":…,"previousMilliseconds":…,"shards":…,
/// "heads":[[shard,sequence,hash],…],"key":…,"signature":…}`. The signature covers the line without its last member.
package struct HeadsLine: Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// The heads of all shards that the writer knows; the first line of every file.
        case all
        /// The heads that moved since the writer's line before.
        case changes
        /// The heads of all shards of a database that an operator put in place of a newer one: what was exported before
        /// this line and is not in it is known to be lost.
        case accepted
    }

    package static let version: Int64 = 1
    /// For as many shards as the processes of decades begin.
    private static let limits = JSONLimits(depth: 4, entries: 8_000_000, bytes: 1 << 28)
    /// SHA-256 of nothing that could be a line: before a writer's first.
    package static let noPrevious = [UInt8](repeating: 0, count: 32)

    package var kind: Kind
    /// A run of exports without a failure; a writer whose export failed is followed by another.
    package var writer: UUID
    /// From 1 on, without gaps, through all files of the writer.
    package var number: Int64
    /// When the heads were read, to the millisecond.
    package var time: Date
    package var previous: [UInt8]
    /// From the reading of the heads of the line before until it was on disk; 0 in a writer's first.
    package var previousMilliseconds: Int64
    /// All shards in the database at that time.
    package var shards: Int64
    package var heads: [AuditHead]

    /// The line without its end.
    package func text(signedBy signer: HeadSigner) throws -> String {
        let signed = signedText(keyID: signer.keyID)
        return Self.line(signed, Base64.encode(try signer.sign(signed)))
    }

    package static func digest(of line: String) -> [UInt8] { Array(SHA256.hash(data: Array(line.utf8))) }

    /// Nil for a line that is none, or that no key of `verifier` signed exactly as it stands.
    package init?(_ line: String, verifiedBy verifier: HeadVerifier) {
        guard var object = (try? JSONValue.parse(line, limits: Self.limits))?.objectValue,
            let signature = object["signature"]?.stringValue, let bytes = Base64.decode(signature),
            let keyID = object["key"]?.stringValue
        else { return nil }
        object["signature"] = nil
        let signed = JSONValue.object(object).serializedString
        // What is read below is what was signed, byte for byte.
        guard Self.line(signed, signature) == line, verifier.isValid(bytes, of: signed, by: keyID),
            object["version"]?.intValue == Self.version,
            let kind = object["kind"]?.stringValue.flatMap(Kind.init(rawValue:)),
            let writer = object["writer"]?.stringValue.flatMap(UUID.init(uuidString:)),
            let number = object["number"]?.intValue, let milliseconds = object["milliseconds"]?.intValue,
            let previous = object["previous"]?.stringValue.flatMap({ Hex.decode($0) }), previous.count == 32,
            let previousMilliseconds = object["previousMilliseconds"]?.intValue, let shards = object["shards"]?.intValue,
            let heads = object["heads"]?.arrayValue.flatMap(Self.heads)
        else { return nil }
        self.init(
            kind: kind, writer: writer, number: number, time: Date(timeIntervalSince1970: Double(milliseconds) / 1000),
            previous: previous, previousMilliseconds: previousMilliseconds, shards: shards, heads: heads)
    }

    package init(
        kind: Kind, writer: UUID, number: Int64, time: Date, previous: [UInt8], previousMilliseconds: Int64, shards: Int64,
        heads: [AuditHead]
    ) {
        self.kind = kind
        self.writer = writer
        self.number = number
        self.time = time
        self.previous = previous
        self.previousMilliseconds = previousMilliseconds
        self.shards = shards
        self.heads = heads
    }

    private func signedText(keyID: String) -> String {
        let object: JSONObject = [
            "version": .int(Self.version), "kind": .string(kind.rawValue), "writer": .string(writer.uuidString.lowercased()),
            "number": .int(number), "time": .string(AWSTimestamp.extended(time)),
            "milliseconds": .int(Int64((time.timeIntervalSince1970 * 1000).rounded())),
            "previous": .string(Hex.encode(previous)), "previousMilliseconds": .int(previousMilliseconds),
            "shards": .int(shards),
            "heads": .array(
                heads.map {
                    [.string($0.shard.uuidString.lowercased()), .int($0.sequence), .string(Hex.encode($0.hash))]
                }),
            "key": .string(keyID),
        ]
        return JSONValue.object(object).serializedString
    }

    private static func line(_ signed: String, _ signature: String) -> String {
        "\(signed.dropLast()),\"signature\":\"\(signature)\"}"
    }

    private static func heads(_ values: [JSONValue]) -> [AuditHead]? {
        var heads: [AuditHead] = []
        for value in values {
            guard let parts = value.arrayValue, parts.count == 3,
                let shard = parts[0].stringValue.flatMap(UUID.init(uuidString:)), let sequence = parts[1].intValue,
                let hash = parts[2].stringValue.flatMap({ Hex.decode($0) }), hash.count == 32
            else { return nil }
            heads.append(AuditHead(shard: shard, sequence: sequence, hash: hash))
        }
        return heads
    }
}
