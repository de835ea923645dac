import AWSProtocol

/// The blob that Encrypt and GenerateDataKey hand out and Decrypt takes back. It names its key, so Decrypt needs no KeyId.
///
/// Layout (integers big endian):
///
///     version            1 byte, 1
///     length of key ARN  2 bytes
///     key ARN            UTF-8
///     material id        32 bytes
///     salt               32 bytes; the key of this blob alone is derived from material and salt
///     nonce              12 bytes
///     ciphertext         as long as the plaintext
///     tag                16 bytes
///
/// Everything before the ciphertext is authenticated together with the encryption context.
package struct CiphertextBlob: Sendable, Equatable {
    package static let version: UInt8 = 1
    package static let maximumBytes = 6144
    package static let maximumPlaintextBytes = 4096
    static let materialIDBytes = 32
    static let saltBytes = 32
    static let nonceBytes = 12
    static let tagBytes = 16

    var keyARN: ARN
    var materialID: [UInt8]
    var salt: [UInt8]
    var nonce: [UInt8]
    var ciphertext: [UInt8]
    var tag: [UInt8]

    var header: [UInt8] {
        let arn = Array(keyARN.description.utf8)
        return [Self.version, UInt8(arn.count >> 8), UInt8(arn.count & 0xFF)] + arn + materialID + salt + nonce
    }

    package var bytes: [UInt8] { header + ciphertext + tag }

    init(keyARN: ARN, materialID: [UInt8], salt: [UInt8], nonce: [UInt8], ciphertext: [UInt8], tag: [UInt8]) {
        self.keyARN = keyARN
        self.materialID = materialID
        self.salt = salt
        self.nonce = nonce
        self.ciphertext = ciphertext
        self.tag = tag
    }

    /// Throws `invalidCiphertext` for anything that was never ours; nothing is allocated by a length that lies.
    package init(parsing bytes: [UInt8]) throws(KeyError) {
        guard bytes.count <= Self.maximumBytes, bytes.count >= 3, bytes[0] == Self.version else { throw .invalidCiphertext }
        let arnEnd = 3 + (Int(bytes[1]) << 8 | Int(bytes[2]))
        let headerEnd = arnEnd + Self.materialIDBytes + Self.saltBytes + Self.nonceBytes
        let ciphertextBytes = bytes.count - headerEnd - Self.tagBytes
        guard (1...Self.maximumPlaintextBytes).contains(ciphertextBytes),
            let text = String(validating: bytes[3..<arnEnd], as: UTF8.self),
            case .keyARN(let arn)? = try? KeyReference(text)
        else { throw .invalidCiphertext }
        keyARN = arn
        materialID = Array(bytes[arnEnd..<(arnEnd + Self.materialIDBytes)])
        salt = Array(bytes[(arnEnd + Self.materialIDBytes)..<(headerEnd - Self.nonceBytes)])
        nonce = Array(bytes[(headerEnd - Self.nonceBytes)..<headerEnd])
        ciphertext = Array(bytes[headerEnd..<(headerEnd + ciphertextBytes)])
        tag = Array(bytes[(headerEnd + ciphertextBytes)...])
    }
}
