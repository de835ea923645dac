package import Envelope
package import Secrets

/// Data keys of KMS keys that are named by their ARNs: no alias, no discovery. What a job holds a grant on is the only key
/// that it can be made to use; people may name several, each of which opens the message.
///
/// Provider id `aws-kms`, info = the key ARN of KMS's answer, ciphertext = its CiphertextBlob.
package struct KMSDataKeyProvider: DataKeyProvider {
    package let keyARNs: [String]
    private let kms: any KMSDataKeys
    private let grantTokens: [String]

    package init(kms: any KMSDataKeys, keyARN: String, grantTokens: [String] = []) {
        self.init(kms: kms, keyARNs: [keyARN], grantTokens: grantTokens)
    }

    /// The first key makes data keys. All are asked through one client, so they lie in its region; for keys of several
    /// regions take a `MultiKeyring` of such providers.
    package init(kms: any KMSDataKeys, keyARNs: [String], grantTokens: [String] = []) {
        precondition(!keyARNs.isEmpty, "A provider of data keys needs a key.")
        self.keyARNs = keyARNs
        self.kms = kms
        self.grantTokens = grantTokens
    }

    /// GenerateDataKey with exactly the header's context, then Encrypt under each further key. An answer for another key is
    /// refused: the manifest would pin a key that nobody granted.
    package func generate(context: EncryptionContext) async throws -> GeneratedDataKey {
        let keyARN = keyARNs[0]
        let answer = try await kms.generateDataKey(keyARN: keyARN, context: context, grantTokens: grantTokens)
        do {
            let key = try Self.encryptedDataKey(answer.ciphertext, answered: answer.keyARN, asked: keyARN)
            let others = try await encrypt(answer.secret, under: keyARNs.dropFirst(), context)
            return GeneratedDataKey(secret: answer.secret, encrypted: [key] + others)
        } catch {
            answer.secret.wipe()
            throw error
        }
    }

    package func wrap(_ dataKey: SharedSecret, context: EncryptionContext) async throws -> [EncryptedDataKey] {
        try await encrypt(dataKey, under: keyARNs[...], context)
    }

    private func encrypt(
        _ dataKey: SharedSecret, under keys: ArraySlice<String>, _ context: EncryptionContext
    ) async throws -> [EncryptedDataKey] {
        var encrypted: [EncryptedDataKey] = []
        for keyARN in keys {
            let answer = try await kms.encrypt(dataKey, keyARN: keyARN, context: context, grantTokens: grantTokens)
            encrypted.append(try Self.encryptedDataKey(answer.ciphertext, answered: answer.keyARN, asked: keyARN))
        }
        return encrypted
    }

    private static func encryptedDataKey(
        _ ciphertext: [UInt8], answered: String, asked: String
    ) throws(EnvelopeError) -> EncryptedDataKey {
        guard answered.utf8.elementsEqual(asked.utf8) else { throw .authentication }
        return EncryptedDataKey(
            providerID: EncryptedDataKey.kmsProviderID, providerInfo: Array(answered.utf8), ciphertext: ciphertext)
    }

    /// Tries every data key under one of the ARNs, in the message's order. Throws KMS's own refusal (access denied, key
    /// disabled), so that people learn of it; `EnvelopeError.authentication` where there is no such key or KMS found its
    /// ciphertext invalid.
    package func open(_ keys: [EncryptedDataKey], context: EncryptionContext) async throws -> SharedSecret {
        var refusal = KMSRefusal()
        for key in keys {
            guard let keyARN = keyARNs.first(where: { key.isUnder($0) }) else { continue }
            do {
                return try await kms.open(key, keyARN: keyARN, context: context, grantTokens: grantTokens)
            } catch {
                try refusal.note(error)
            }
        }
        throw refusal.outcome
    }
}

extension EncryptedDataKey {
    fileprivate func isUnder(_ keyARN: String) -> Bool {
        providerID == Self.kmsProviderID && providerInfo.elementsEqual(keyARN.utf8)
    }
}
