package import Secrets

extension JSONObject {
    /// The object as text with one more member in front, a secret in base64, made in locked memory and nowhere else.
    ///
    /// For answers that hold a data key: `{"Plaintext":"…","KeyId":…}`.
    package func serialized(secretMember name: String, _ secret: borrowing SecretBytes) -> SharedSecret {
        let opening = Array(JSONValue.object([name: ""]).serialized().dropLast(2))
        let rest = serialized()
        let closing = Array("\"".utf8) + (isEmpty ? [UInt8(ascii: "}")] : [UInt8(ascii: ",")] + rest.dropFirst())
        let count = opening.count + Base64.encodedCount(secret.count) + closing.count
        return SharedSecret(
            SecretBytes(count: count) { text in
                text.copyBytes(from: opening)
                let digits = UnsafeMutableRawBufferPointer(
                    rebasing: text[opening.count..<(count - closing.count)])
                secret.withUnsafeBytes { Base64.encode($0, into: digits) }
                UnsafeMutableRawBufferPointer(rebasing: text[(count - closing.count)...]).copyBytes(from: closing)
            })
    }
}
