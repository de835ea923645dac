package import Secrets

extension Base64 {
    /// Decodes a secret straight into locked memory; nil when the text is not base64. The caller wipes the source.
    package static func decodeSecret(_ text: UnsafeRawBufferPointer) -> SharedSecret? {
        guard let count = decodedCount(text) else { return nil }
        var isValid = false
        let secret = SecretBytes(count: count) { isValid = decode(text, into: $0) }
        guard isValid else { return nil }
        return SharedSecret(secret)
    }
}
