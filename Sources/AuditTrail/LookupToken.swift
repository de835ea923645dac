import AWSProtocol
import Crypto
import FoundationEssentials

/// Where the next page of a look-up begins, bound to its parameters.
///
/// Base64 of: version 1 (1 byte), seconds of the last event (8 bytes), its position (8 bytes), both big endian, and the
/// first 16 bytes of the parameters' digest. It holds no secret: whoever forges one still sees only the own account.
struct LookupToken: Equatable {
    struct Position: Equatable, Sendable {
        var second: Int64
        var position: Int64

        /// Before every event: the last second of year 9999.
        static let newest = Position(second: 253_402_300_799, position: .max)
    }

    static let digestBytes = 16
    /// Bounds what is decoded; ours have 44 characters.
    static let maximumCharacters = 64

    var position: Position
    var digest: [UInt8]

    init(position: Position, digest: [UInt8]) {
        self.position = position
        self.digest = digest
    }

    init?(text: String) {
        guard text.utf8.count <= Self.maximumCharacters, let bytes = Base64.decode(text) else { return nil }
        guard bytes.count == 17 + Self.digestBytes, bytes[0] == 1 else { return nil }
        position = Position(second: Self.integer(bytes[1..<9]), position: Self.integer(bytes[9..<17]))
        digest = Array(bytes[17...])
    }

    var text: String {
        var bytes: [UInt8] = [1]
        withUnsafeBytes(of: position.second.bigEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: position.position.bigEndian) { bytes.append(contentsOf: $0) }
        return Base64.encode(bytes + digest)
    }

    static func digest(account: String, attribute: EventLookup.Attribute?, start: Date?, end: Date?) -> [UInt8] {
        var hash = SHA256()
        let parts = [
            account, attribute?.key.rawValue ?? "", attribute?.value ?? "",
            start.map { "\($0.timeIntervalSince1970)" } ?? "", end.map { "\($0.timeIntervalSince1970)" } ?? "",
        ]
        for part in parts {
            withUnsafeBytes(of: UInt64(part.utf8.count).bigEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: Array(part.utf8))
        }
        return Array(hash.finalize().prefix(digestBytes))
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> Int64 {
        Int64(bitPattern: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
}
