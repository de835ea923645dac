package import Secrets

extension JSONObject {
    /// The object as text with one more member in front, a secret in base64, made in locked memory and nowhere else.
    ///
    /// For what holds a data key: `{"Plaintext":"…","KeyId":…}`.
    package func serialized(secretMember name: String, _ secret: borrowing SecretBytes) -> SharedSecret {
        secret.withUnsafeBytes { serialized(secretMember: name, $0) }
    }

    /// Of bytes that stay their owner's to wipe.
    package func serialized(secretMember name: String, _ secret: UnsafeRawBufferPointer) -> SharedSecret {
        let opening = Array(JSONValue.object([name: ""]).serialized().dropLast(2))
        let rest = serialized()
        let closing = Array("\"".utf8) + (isEmpty ? [UInt8(ascii: "}")] : [UInt8(ascii: ",")] + rest.dropFirst())
        let count = opening.count + Base64.encodedCount(secret.count) + closing.count
        return SharedSecret(
            SecretBytes(count: count) { text in
                text.copyBytes(from: opening)
                let digits = UnsafeMutableRawBufferPointer(
                    rebasing: text[opening.count..<(count - closing.count)])
                Base64.encode(secret, into: digits)
                UnsafeMutableRawBufferPointer(rebasing: text[(count - closing.count)...]).copyBytes(from: closing)
            })
    }
}
