import Crypto

package import struct FoundationEssentials.UUID

/// The chain through a shard's records: changing, dropping or reordering one breaks every hash after it.
package struct HashChain: Sendable, Equatable {
    /// Sequence of the last record; 0 before the first.
    package private(set) var sequence: Int64
    /// 32 bytes.
    package private(set) var hash: [UInt8]

    package init(sequence: Int64, hash: [UInt8]) {
        self.sequence = sequence
        self.hash = hash
    }

    /// The start of a shard: SHA-256 of the text `forecastle audit shard ` and the shard's id in lower case.
    package init(shard: UUID) {
        self.init(
            sequence: 0, hash: Array(SHA256.hash(data: Array("forecastle audit shard \(shard.uuidString.lowercased())".utf8))))
    }

    /// Takes in the next record: SHA-256(previous hash ‖ sequence as 8 bytes, big endian ‖ UTF-8 of the record).
    package mutating func extend(with record: String) {
        sequence += 1
        var digest = SHA256()
        digest.update(data: hash)
        withUnsafeBytes(of: sequence.bigEndian) { digest.update(bufferPointer: $0) }
        digest.update(data: Array(record.utf8))
        hash = Array(digest.finalize())
    }
}
