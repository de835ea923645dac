/// A bucket's name by the rules of S3 for general purpose buckets ("Bucket naming rules", S3 User Guide):
/// 3–63 of `a–z 0–9 . -`, a letter or digit at both ends, no two dots in a row, not formed like an IPv4 address.
package struct BucketName: Sendable, Hashable, CustomStringConvertible {
    package let name: String

    package init(_ name: String) throws(ObjectStoreError) {
        let bytes = Array(name.utf8)
        guard (3...63).contains(bytes.count) else {
            throw ObjectStoreError(.invalidName, "a bucket name has 3 to 63 characters")
        }
        guard bytes.allSatisfy({ Self.isAlphanumeric($0) || $0 == Self.dot || $0 == Self.hyphen }),
            Self.isAlphanumeric(bytes[0]), Self.isAlphanumeric(bytes[bytes.count - 1])
        else {
            throw ObjectStoreError(
                .invalidName, "a bucket name has lower-case letters, digits, dots and hyphens, and a letter or digit at both ends"
            )
        }
        guard !zip(bytes, bytes.dropFirst()).contains(where: { $0 == Self.dot && $1 == Self.dot }) else {
            throw ObjectStoreError(.invalidName, "a bucket name has no two dots in a row")
        }
        // An address instead of a name is how a request is turned against a metadata service.
        let parts = bytes.split(separator: Self.dot)
        guard !(parts.count == 4 && parts.allSatisfy { $0.allSatisfy(Self.isDigit) }) else {
            throw ObjectStoreError(.invalidName, "a bucket name is not formed like an IP address")
        }
        self.name = name
    }

    package var description: String { name }

    private static let dot = UInt8(ascii: ".")
    private static let hyphen = UInt8(ascii: "-")

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}
