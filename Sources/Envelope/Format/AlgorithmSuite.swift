/// Algorithm suite of a message: two bytes of its header.
/// Source: AWS Encryption SDK specification, "Algorithm Suites"; `docs/envelope.md`.
package struct AlgorithmSuite: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// AES-256-GCM, HKDF-SHA512, key commitment; no signature.
    package static let committed = AlgorithmSuite(rawValue: 0x0478)
    /// As ``committed``, with an ECDSA P-384 signature in a footer.
    package static let committedAndSigned = AlgorithmSuite(rawValue: 0x0578)

    package var isKnown: Bool { parts != nil }

    /// Suites of messages of version 1 do not commit to their key: a ciphertext can be made that opens to different
    /// plaintexts under different keys.
    package var isCommitting: Bool { self == .committed || self == .committedAndSigned }

    /// Version of the message format that the suite belongs to.
    package var messageVersion: UInt8 { isCommitting ? 2 : 1 }
    package var messageIDBytes: Int { isCommitting ? 32 : 16 }

    /// Length of the data key, and of the key that is derived from it: 16, 24 or 32.
    package var dataKeyBytes: Int { parts?.keyBytes ?? Self.keyBytes }

    /// Hash of the HKDF that makes the message's key; `nil` where the data key itself is that key.
    package var kdf: HashAlgorithm? { parts?.kdf }

    /// Curve of the signature in the footer; `nil` where there is none.
    package var signatureCurve: SignatureCurve? { parts?.curve }
    package var isSigned: Bool { signatureCurve != nil }

    package var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// Keys of all that is sealed here, and of every key that wraps data keys.
    static let keyBytes = 32
    static let tagBytes = 16
    static let nonceBytes = 12
    static let commitmentBytes = 32

    private struct Parts {
        let keyBytes: Int
        let kdf: HashAlgorithm?
        var curve: SignatureCurve?
    }

    /// `nil` for ids that no specification has.
    private var parts: Parts? {
        switch rawValue {
        case 0x0014: Parts(keyBytes: 16, kdf: nil)
        case 0x0046: Parts(keyBytes: 24, kdf: nil)
        case 0x0078: Parts(keyBytes: 32, kdf: nil)
        case 0x0114: Parts(keyBytes: 16, kdf: .sha256)
        case 0x0146: Parts(keyBytes: 24, kdf: .sha256)
        case 0x0178: Parts(keyBytes: 32, kdf: .sha256)
        case 0x0214: Parts(keyBytes: 16, kdf: .sha256, curve: .p256)
        case 0x0346: Parts(keyBytes: 24, kdf: .sha384, curve: .p384)
        case 0x0378: Parts(keyBytes: 32, kdf: .sha384, curve: .p384)
        case 0x0478: Parts(keyBytes: 32, kdf: .sha512)
        case 0x0578: Parts(keyBytes: 32, kdf: .sha512, curve: .p384)
        default: nil
        }
    }
}
