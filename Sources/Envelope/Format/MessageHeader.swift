import Crypto

/// Header of a message of version 2.
///
/// Body: `02` · suite (2) · message id (32) · context length (2) and context · count of data keys (2) and data keys ·
/// content type `02` · frame length (4) · commitment (32). Then the tag (16) over the body.
package struct MessageHeader: Sendable, Equatable {
    package let suite: AlgorithmSuite
    package let messageID: [UInt8]
    package let context: EncryptionContext
    package let encryptedDataKeys: [EncryptedDataKey]
    package let frameBytes: Int
    package let commitment: [UInt8]
    package let tag: [UInt8]

    /// The bytes that the tag covers.
    package let body: [UInt8]
    /// The context's serialisation, to which the data keys are bound.
    package let serializedContext: [UInt8]

    static let version: UInt8 = 2
    static let framed: UInt8 = 2
    static let messageIDBytes = 32

    /// Body and tag, as a message begins.
    package var serialized: [UInt8] { body + tag }

    package var byteCount: Int { body.count + tag.count }

    /// SHA-256 of body and tag. It fixes message id, commitment and thereby the key: a manifest that pins it
    /// leaves no other message in this one's place.
    package var digest: [UInt8] { Array(SHA256.hash(data: serialized)) }
}

extension MessageHeader {
    /// Everything before the tag, from its parts. Throws `invalidInput` where a part does not fit the format.
    static func makeBody(
        suite: AlgorithmSuite, messageID: [UInt8], serializedContext: [UInt8], encryptedDataKeys: [EncryptedDataKey],
        frameBytes: Int, commitment: [UInt8]
    ) throws(EnvelopeError) -> [UInt8] {
        precondition(messageID.count == messageIDBytes && commitment.count == AlgorithmSuite.commitmentBytes)
        guard (1...Int(UInt32.max)).contains(frameBytes) else {
            throw .invalidInput("A frame holds between 1 and \(UInt32.max) bytes.")
        }
        guard !encryptedDataKeys.isEmpty, encryptedDataKeys.count <= Int(UInt16.max) else {
            throw .invalidInput("A message needs between 1 and \(UInt16.max) encrypted data keys.")
        }
        var body: [UInt8] = [version]
        body.append(bigEndian: suite.rawValue)
        body += messageID
        body.append(lengthPrefixed: serializedContext)
        body.append(bigEndian: UInt16(encryptedDataKeys.count))
        for key in encryptedDataKeys {
            for part in [Array(key.providerID.utf8), key.providerInfo, key.ciphertext] {
                guard part.count <= Int(UInt16.max) else {
                    throw .invalidInput("A part of an encrypted data key is longer than \(UInt16.max) bytes.")
                }
                body.append(lengthPrefixed: part)
            }
        }
        body.append(framed)
        body.append(bigEndian: UInt32(frameBytes))
        body += commitment
        return body
    }
}
