import Crypto

/// Header of a message: what its data keys are, and the shape of what follows.
///
/// Version 2: `02` · suite (2) · message id (32) · context length (2) and context · count of data keys (2) and data keys ·
/// content type (1) · frame length (4) · commitment (32). Then the tag (16) over these bytes.
///
/// Version 1: `01` · `80` · suite (2) · message id (16) · context · data keys · content type (1) · reserved (4) · IV length
/// `0C` · frame length (4). Then IV (12) and tag (16).
package struct MessageHeader: Sendable, Equatable {
    package enum ContentType: UInt8, Sendable {
        /// One piece, whose length stands before it; written by early SDKs.
        case unframed = 1
        case framed = 2
    }

    package let suite: AlgorithmSuite
    package let messageID: [UInt8]
    /// All pairs; in a signed message also the format's own, ``EncryptionContextCodec/publicKeyName``.
    package let context: EncryptionContext
    package let encryptedDataKeys: [EncryptedDataKey]
    package let contentType: ContentType
    /// Plaintext in a regular frame; 0 where unframed.
    package let frameBytes: Int
    /// Empty in version 1.
    package let commitment: [UInt8]
    /// IV of the tag: zeroes but in old messages of version 1.
    package let nonce: [UInt8]
    package let tag: [UInt8]
    /// The point that the signature verifies under; `nil` where the suite has none.
    package let compressedPublicKey: [UInt8]?

    /// The bytes that the tag covers.
    package let body: [UInt8]
    /// The context's serialisation, to which the data keys are bound.
    package let serializedContext: [UInt8]

    static let messageType: UInt8 = 0x80
    static let zeroNonce = [UInt8](repeating: 0, count: AlgorithmSuite.nonceBytes)

    /// Version of the message format.
    package var version: UInt8 { suite.messageVersion }

    /// The pairs that the message's author chose.
    package var callersContext: EncryptionContext { context.filter { !EncryptionContextCodec.isReserved($0.key) } }

    /// As a message begins.
    package var serialized: [UInt8] { version == 1 ? body + nonce + tag : body + tag }

    package var byteCount: Int { body.count + (version == 1 ? nonce.count : 0) + tag.count }

    /// SHA-256 of ``serialized``. It fixes message id, commitment and thereby the key: a manifest that pins it
    /// leaves no other message in this one's place.
    package var digest: [UInt8] { Array(SHA256.hash(data: serialized)) }
}

extension MessageHeader {
    /// Everything before the tag of a message of version 2, from its parts. Throws `invalidInput` where a part does not fit
    /// the format.
    static func makeBody(
        suite: AlgorithmSuite, messageID: [UInt8], serializedContext: [UInt8], encryptedDataKeys: [EncryptedDataKey],
        frameBytes: Int, commitment: [UInt8]
    ) throws(EnvelopeError) -> [UInt8] {
        precondition(suite.isCommitting && messageID.count == suite.messageIDBytes)
        precondition(commitment.count == AlgorithmSuite.commitmentBytes)
        guard (1...Int(UInt32.max)).contains(frameBytes) else {
            throw .invalidInput("A frame holds between 1 and \(UInt32.max) bytes.")
        }
        guard !encryptedDataKeys.isEmpty, encryptedDataKeys.count <= Int(UInt16.max) else {
            throw .invalidInput("A message needs between 1 and \(UInt16.max) encrypted data keys.")
        }
        var body: [UInt8] = [suite.messageVersion]
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
        body.append(ContentType.framed.rawValue)
        body.append(bigEndian: UInt32(frameBytes))
        body += commitment
        return body
    }
}
