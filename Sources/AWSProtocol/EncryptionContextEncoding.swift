/// The one byte form of an encryption context.
///
/// Shape, that of the AWS Encryption SDK: count of pairs (u16), then for each pair in the order of the names' bytes:
/// length of name (u16), name, length of value (u16), value, big-endian and in UTF-8. An empty context is no bytes at all,
/// as an absent one.
package enum EncryptionContextEncoding {
    /// Throws ValidationException when a count or length does not fit its field.
    package static func associatedData(_ context: [String: String]) throws(AWSError) -> [UInt8] {
        guard !context.isEmpty else { return [] }
        var bytes: [UInt8] = []
        try append(length: context.count, to: &bytes)
        for (name, value) in context.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            try append(name, to: &bytes)
            try append(value, to: &bytes)
        }
        return bytes
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) throws(AWSError) {
        try append(length: text.utf8.count, to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    private static func append(length: Int, to bytes: inout [UInt8]) throws(AWSError) {
        guard let length = UInt16(exactly: length) else {
            throw .validation(field: "EncryptionContext", rule: "Member must have length less than or equal to 65535")
        }
        bytes.append(UInt8(length >> 8))
        bytes.append(UInt8(length & 0xFF))
    }
}
