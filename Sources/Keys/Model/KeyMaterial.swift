package import AWSProtocol
import Crypto
import FoundationEssentials
package import Secrets

/// One version of a key's 256 secret bits, in memory for the length of one use.
package struct KeyMaterial: ~Copyable, Sendable {
    package static let bytes = 32

    package let keyARN: ARN
    /// 32 bytes, shown as 64 hexadecimal digits.
    package let materialID: [UInt8]
    let secret: SecretBytes

    package init(keyARN: ARN, materialID: [UInt8], secret: consuming SecretBytes) {
        self.keyARN = keyARN
        self.materialID = materialID
        self.secret = secret
    }

    /// Seals under a key of its own: HKDF-SHA512(material, salt = 32 random bytes), then AES-256-GCM with a random nonce.
    /// With the salt no count of uses of one key comes near the bound of random nonces.
    package borrowing func seal(_ plaintext: UnsafeRawBufferPointer, context: [String: String]) throws -> CiphertextBlob {
        var blob = CiphertextBlob(
            keyARN: keyARN, materialID: materialID, salt: randomBytes(CiphertextBlob.saltBytes),
            nonce: randomBytes(CiphertextBlob.nonceBytes), ciphertext: [], tag: [])
        let box = try AES.GCM.seal(
            plaintext, using: messageKey(salt: blob.salt), nonce: AES.GCM.Nonce(data: blob.nonce),
            authenticating: try Self.associatedData(header: blob.header, context: context))
        blob.ciphertext = Array(box.ciphertext)
        blob.tag = Array(box.tag)
        return blob
    }

    /// Any change to blob or context gives the one `invalidCiphertext`.
    package borrowing func open(_ blob: CiphertextBlob, context: [String: String]) throws(KeyError) -> SecretBytes {
        do {
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: blob.nonce), ciphertext: blob.ciphertext, tag: blob.tag)
            var plaintext = try AES.GCM.open(
                box, using: messageKey(salt: blob.salt),
                authenticating: try Self.associatedData(header: blob.header, context: context))
            return SecretBytes(moving: &plaintext)
        } catch {
            throw .invalidCiphertext
        }
    }

    private borrowing func messageKey(salt: [UInt8]) -> SymmetricKey {
        secret.withUnsafeBytes { material in
            HKDF<SHA512>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: material), salt: salt,
                info: Array("forecastle ciphertext".utf8) + materialID, outputByteCount: 32)
        }
    }

    /// The header with its length as 2 bytes, then the context as `EncryptionContextEncoding` writes it.
    private static func associatedData(header: [UInt8], context: [String: String]) throws(AWSError) -> [UInt8] {
        [UInt8(header.count >> 8), UInt8(header.count & 0xFF)] + header + (try EncryptionContextEncoding.associatedData(context))
    }
}

/// From the system's random source, in one call of it; for what is no secret itself.
func randomBytes(_ count: Int) -> [UInt8] {
    let bytes = SecretBytes.random(count: count)
    return bytes.withUnsafeBytes { Array($0) }
}
