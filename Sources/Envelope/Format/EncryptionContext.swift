/// Names and values bound to a message and to its data keys; visible in the message and in KMS's trail.
package typealias EncryptionContext = [String: String]

/// The one serialisation of a context: count (2) · pairs (key length (2), key, value length (2), value), sorted by the
/// keys' UTF-8 bytes; nothing at all for an empty one. It is what the header holds and what data keys are bound to.
///
/// Contexts are compared by these bytes: Swift's `==` would take differently composed characters for equal.
package enum EncryptionContextCodec {
    /// Names that begin so belong to the format.
    package static let reservedPrefix = "aws-crypto-"
    /// The one pair that the format adds: the signature's public key, as `PublicKeyPair` has it.
    package static let publicKeyName = "aws-crypto-public-key"

    /// A context as callers may give it. Throws `invalidInput` where a name is reserved or empty, or a length exceeds
    /// what two bytes can say.
    package static func serialize(_ context: EncryptionContext) throws(EnvelopeError) -> [UInt8] {
        for name in context.keys {
            guard !isReserved(name) else {
                throw .invalidInput("Names of an encryption context must not begin with \(reservedPrefix).")
            }
            guard !name.isEmpty else { throw .invalidInput("A name in the encryption context is empty.") }
        }
        return try serialize(whole: context)
    }

    /// A context as a header holds it, with the format's own pair.
    static func serialize(whole context: EncryptionContext) throws(EnvelopeError) -> [UInt8] {
        guard !context.isEmpty else { return [] }
        guard context.count <= Int(UInt16.max) else { throw tooLong }
        var bytes: [UInt8] = []
        bytes.append(bigEndian: UInt16(context.count))
        for (key, value) in context.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            guard key.utf8.count <= Int(UInt16.max), value.utf8.count <= Int(UInt16.max) else { throw tooLong }
            bytes.append(lengthPrefixed: key.utf8)
            bytes.append(lengthPrefixed: value.utf8)
        }
        guard bytes.count <= Int(UInt16.max) else { throw tooLong }
        return bytes
    }

    private static let tooLong = EnvelopeError.invalidInput(
        "The encryption context is longer than \(UInt16.max) bytes.")

    static func isReserved(_ name: String) -> Bool { name.utf8.starts(with: reservedPrefix.utf8) }

    /// Reads the bytes of a header. Order, doubled names and invalid UTF-8 are refused, so that what was read
    /// serialises to the same bytes again. (Every SDK writes sorted; all of them refuse doubled names when they read.)
    static func parse(_ bytes: ArraySlice<UInt8>) throws(ByteCursor.Failure) -> EncryptionContext {
        guard !bytes.isEmpty else { return [:] }
        do {
            var cursor = ByteCursor(bytes)
            let count = try cursor.takeUInt16()
            guard count > 0 else { throw ByteCursor.Failure.malformed }
            var context: EncryptionContext = [:]
            var previous: ArraySlice<UInt8>?
            for _ in 0..<count {
                let key = try cursor.takeLengthPrefixed()
                let value = try cursor.takeLengthPrefixed()
                if let previous, !previous.lexicographicallyPrecedes(key) { throw ByteCursor.Failure.malformed }
                previous = key
                guard let name = String(validating: key, as: UTF8.self), let text = String(validating: value, as: UTF8.self),
                    context.updateValue(text, forKey: name) == nil
                else { throw ByteCursor.Failure.malformed }
            }
            guard cursor.consumed == bytes.count else { throw ByteCursor.Failure.malformed }
            return context
        } catch {
            // Whatever is missing here is missing inside a length that was given: no later bytes can help.
            throw .malformed
        }
    }
}
