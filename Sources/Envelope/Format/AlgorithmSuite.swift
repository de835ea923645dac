/// Algorithm suite of a message: two bytes of its header.
/// Source: AWS Encryption SDK specification, "Algorithm Suites"; `docs/envelope.md`.
package struct AlgorithmSuite: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// AES-256-GCM, HKDF-SHA512, key commitment; no signature.
    package static let committed = AlgorithmSuite(rawValue: 0x0478)
    /// As ``committed``, with an ECDSA P-384 signature in a footer.
    package static let committedAndSigned = AlgorithmSuite(rawValue: 0x0578)

    /// Suites of messages of version 1, none of which commits to its key: a ciphertext can be made that opens
    /// to different plaintexts under different keys.
    static let uncommitted: Set<UInt16> = [
        0x0014, 0x0046, 0x0078, 0x0114, 0x0146, 0x0178, 0x0214, 0x0346, 0x0378,
    ]

    package var isCommitting: Bool { self == .committed || self == .committedAndSigned }

    package var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// Length of the keys that the suite derives and of the data key it starts from.
    static let keyBytes = 32
    static let tagBytes = 16
    static let nonceBytes = 12
    static let commitmentBytes = 32
}
