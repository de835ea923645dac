import AWSProtocol
package import Envelope
package import Secrets

/// Data keys of one KMS key, named by its ARN: no alias, no discovery. What a job holds a grant on is the only key that it
/// can be made to use.
///
/// Provider id `aws-kms`, info = the key ARN of KMS's answer, ciphertext = its CiphertextBlob.
package struct KMSDataKeyProvider: DataKeyProvider {
    package let keyARN: String
    private let kms: any KMSDataKeys
    private let grantTokens: [String]

    package init(kms: any KMSDataKeys, keyARN: String, grantTokens: [String] = []) {
        self.kms = kms
        self.keyARN = keyARN
        self.grantTokens = grantTokens
    }

    /// GenerateDataKey with exactly the header's context. An answer for another key is refused: the manifest would pin a key
    /// that nobody granted.
    package func generate(context: EncryptionContext) async throws -> GeneratedDataKey {
        let answer = try await kms.generateDataKey(keyARN: keyARN, context: context, grantTokens: grantTokens)
        guard answer.keyARN.utf8.elementsEqual(keyARN.utf8) else {
            answer.secret.wipe()
            throw EnvelopeError.authentication
        }
        return GeneratedDataKey(
            secret: answer.secret,
            encrypted: [
                EncryptedDataKey(
                    providerID: EncryptedDataKey.kmsProviderID, providerInfo: Array(answer.keyARN.utf8),
                    ciphertext: answer.ciphertext)
            ])
    }

    /// Tries every data key under this ARN. Throws KMS's own refusal (access denied, key disabled), so that people learn of
    /// it; `EnvelopeError.authentication` where there is no such key or KMS found its ciphertext invalid.
    package func open(_ keys: [EncryptedDataKey], context: EncryptionContext) async throws -> SharedSecret {
        for key in keys where fits(key) {
            do {
                let answer = try await kms.decrypt(
                    key.ciphertext, keyARN: keyARN, context: context, grantTokens: grantTokens)
                guard answer.keyARN.utf8.elementsEqual(keyARN.utf8) else {
                    answer.secret.wipe()
                    throw EnvelopeError.authentication
                }
                return answer.secret
            } catch let error as AWSError where Self.meansForgery.contains(error.code) {
                // Another data key may still be ours.
            }
        }
        throw EnvelopeError.authentication
    }

    /// KMS's words for a ciphertext or context that is not what was encrypted.
    private static let meansForgery: Set<String> = ["InvalidCiphertextException", "IncorrectKeyException"]

    private func fits(_ key: EncryptedDataKey) -> Bool {
        key.providerID == EncryptedDataKey.kmsProviderID && key.providerInfo.elementsEqual(keyARN.utf8)
    }
}
