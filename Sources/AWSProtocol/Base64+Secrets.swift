package import Secrets

extension Base64 {
    /// Appends the text of a secret to a buffer with room for it, whose owner wipes it: no other copy is made.
    package static func append(_ secret: borrowing SecretBytes, to text: inout [UInt8]) {
        secret.withUnsafeBytes { append($0, to: &text) }
    }

    /// Decodes a secret straight into locked memory; nil when the text is not base64. The caller wipes the source.
    package static func decodeSecret(_ text: UnsafeRawBufferPointer) -> SharedSecret? {
        guard let count = decodedCount(text) else { return nil }
        var isValid = false
        let secret = SecretBytes(count: count) { isValid = decode(text, into: $0) }
        guard isValid else { return nil }
        return SharedSecret(secret)
    }
}
