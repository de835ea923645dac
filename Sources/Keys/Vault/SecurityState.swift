import AWSProtocol
import Crypto

package import struct FoundationEssentials.UUID

/// How far a database has come: what the vault notes of it, and what the database says of itself. Pure.
///
/// As text, a line each: `forecastle security state 1`, `incarnation`, `epoch`, `records`, then `head <shard> <sequence>
/// <hash>` for each head, and `sum` with the SHA-256 of all before it, which tells a damaged file from an old one.
package struct SecurityState: Sendable, Equatable {
    /// Heads that are noted: those that moved last. Older ones are covered by `records`.
    package static let maximumHeads = 1024
    static let header = "forecastle security state 1"

    /// The last record of one shard of the audit trail.
    package struct Head: Sendable, Hashable {
        package var shard: UUID
        package var sequence: Int64
        package var hash: [UInt8]

        package init(shard: UUID, sequence: Int64, hash: [UInt8]) {
            self.shard = shard
            self.sequence = sequence
            self.hash = hash
        }
    }

    /// Rises when an older database was accepted.
    package var incarnation: Int
    /// Changes that took a right away.
    package var epoch: Int64
    /// Records of the audit trail, in all shards.
    package var records: Int64
    /// Those that moved last come first.
    package var heads: [Head]

    package init(incarnation: Int, epoch: Int64, records: Int64, heads: [Head]) {
        self.incarnation = incarnation
        self.epoch = epoch
        self.records = records
        self.heads = Array(heads.prefix(Self.maximumHeads))
    }

    /// The later of both in every respect. What was noted before an older database was accepted counts no more.
    package func merged(with newer: SecurityState) -> SecurityState {
        guard incarnation == newer.incarnation else { return incarnation > newer.incarnation ? self : newer }
        let known = Dictionary(heads.map { ($0.shard, $0) }) { first, _ in first }
        let moved = newer.heads.map { head in
            if let other = known[head.shard], other.sequence > head.sequence { other } else { head }
        }
        let named = Set(moved.map(\.shard))
        return SecurityState(
            incarnation: incarnation, epoch: max(epoch, newer.epoch), records: max(records, newer.records),
            heads: moved + heads.filter { !named.contains($0.shard) })
    }
}

extension SecurityState {
    package var text: String {
        var text = "\(Self.header)\nincarnation \(incarnation)\nepoch \(epoch)\nrecords \(records)\n"
        for head in heads {
            text += "head \(head.shard.uuidString.lowercased()) \(head.sequence) \(Hex.encode(head.hash))\n"
        }
        return text + "sum \(Self.sum(text))\n"
    }

    package init(parsing text: String) throws(VaultError) {
        var lines = text.split(separator: "\n").map(String.init)
        guard let last = lines.popLast(), lines.count >= 4, lines[0] == Self.header,
            last == "sum " + Self.sum(lines.joined(separator: "\n") + "\n"),
            let incarnation = Self.number("incarnation", lines[1]), let epoch = Self.number("epoch", lines[2]),
            let records = Self.number("records", lines[3])
        else { throw VaultError(.unsafe, "The state that the vault has noted cannot be read.") }
        var heads: [Head] = []
        for line in lines[4...] {
            let parts = line.split(separator: " ").map(String.init)
            guard parts.count == 4, parts[0] == "head", let shard = UUID(uuidString: parts[1]),
                let sequence = Int64(parts[2]), let hash = Hex.decode(parts[3])
            else { throw VaultError(.unsafe, "The state that the vault has noted cannot be read.") }
            heads.append(Head(shard: shard, sequence: sequence, hash: hash))
        }
        self.init(incarnation: Int(incarnation), epoch: epoch, records: records, heads: heads)
    }

    private static func number(_ name: String, _ line: String) -> Int64? {
        line.hasPrefix(name + " ") ? Int64(line.dropFirst(name.utf8.count + 1)) : nil
    }
}

extension SecurityState {
    private static func sum(_ text: String) -> String { Hex.encode(Array(SHA256.hash(data: Array(text.utf8)))) }
}
