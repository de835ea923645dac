package import AWSProtocol
import Policies
package import Secrets

/// What GenerateDataKey gives. `plaintext` is wiped by whoever wrote it into the answer.
package struct GeneratedDataKey: Sendable {
    package let keyARN: ARN
    package let materialID: String
    package let ciphertext: [UInt8]
    package let plaintext: Secrets.SharedSecret
}

package struct EncryptedBytes: Sendable {
    package let keyARN: ARN
    package let ciphertext: [UInt8]
}

package struct DecryptedBytes: Sendable {
    package let keyARN: ARN
    package let materialID: String
    package let plaintext: Secrets.SharedSecret
}

/// What all uses of a key carry.
package struct KeyUse: Sendable {
    package var encryptionContext: [String: String]
    package var grantTokens: [String]
    package var isDryRun: Bool

    package init(encryptionContext: [String: String] = [:], grantTokens: [String] = [], isDryRun: Bool = false) {
        self.encryptionContext = encryptionContext
        self.grantTokens = grantTokens
        self.isDryRun = isDryRun
    }
}

extension KeyService {
    /// Draws a data key of `bytes` (1 to 1,024) and seals it under the key.
    package func generateDataKey(
        _ call: KeyCall, key reference: KeyReference, bytes: Int, use: KeyUse
    ) async throws(KeyError) -> GeneratedDataKey {
        try await self.use(call) { reading in
            let material = try await self.material(call, reference, use, reading)
            let plaintext = SecretBytes.random(count: bytes)
            let blob = try plaintext.withUnsafeBytes { try material.material.seal($0, context: use.encryptionContext) }
            return GeneratedDataKey(
                keyARN: material.material.keyARN, materialID: Hex.encode(material.material.materialID), ciphertext: blob.bytes,
                plaintext: Secrets.SharedSecret(plaintext))
        }
    }

    /// 1 to 1,024 random bytes, under no key; the caller's own policies decide.
    package func generateRandom(_ call: KeyCall, bytes: Int) async throws(KeyError) -> Secrets.SharedSecret {
        try await read(call) { connection in
            try await self.decideByIdentity(call, resource: "*", on: connection)
            return Secrets.SharedSecret(SecretBytes.random(count: bytes))
        }
    }

    /// Seals 1 to 4,096 bytes under the key.
    package func encrypt(
        _ call: KeyCall, key reference: KeyReference, plaintext: Secrets.SharedSecret, use: KeyUse
    ) async throws(KeyError) -> EncryptedBytes {
        try await self.use(call) { reading in
            let material = try await self.material(call, reference, use, reading)
            var blob: CiphertextBlob?
            try plaintext.withUnsafeBytes { blob = try material.material.seal($0, context: use.encryptionContext) }
            return EncryptedBytes(keyARN: material.material.keyARN, ciphertext: blob?.bytes ?? [])
        }
    }

    /// Opens a blob under the key that the blob names. A `key` in the request must be that one.
    package func decrypt(
        _ call: KeyCall, ciphertext: [UInt8], key requested: KeyReference?, use: KeyUse
    ) async throws(KeyError) -> DecryptedBytes {
        try await self.use(call) { reading in
            let blob = try CiphertextBlob(parsing: ciphertext)
            let key = try await self.keyOfBlob(blob, requested, call, reading) { reference in
                try await self.decideUse(call, reference, use, alias: requested, reading)
            }.key
            let material = try await self.openMaterial(blob.materialID, of: key, reading)
            let plaintext = try material.material.open(blob, context: use.encryptionContext)
            // Last, so that a dry run fails on everything that a real one fails on.
            if use.isDryRun { throw KeyError.dryRun }
            return DecryptedBytes(
                keyARN: key.arn, materialID: Hex.encode(blob.materialID), plaintext: Secrets.SharedSecret(plaintext))
        }
    }

    /// Decides about Decrypt without a blob: DryRun with the modifier IGNORE_CIPHERTEXT.
    package func decryptDryRun(_ call: KeyCall, key reference: KeyReference, use: KeyUse) async throws(KeyError) {
        try await self.use(call) { reading in
            _ = try await self.decideUse(call, reference, use, reading)
            throw KeyError.dryRun
        }
    }

    /// The key that a blob names, once `decide` has allowed it, where the request names the same or none.
    func keyOfBlob(
        _ blob: CiphertextBlob, _ requested: KeyReference?, _ call: KeyCall, _ reading: any KeyReading,
        decide: (KeyReference) async throws -> DecidedKey
    ) async throws -> DecidedKey {
        let decided: DecidedKey
        do {
            decided = try await decide(.keyARN(blob.keyARN))
        } catch let error as KeyError where error.code == .notFound {
            throw KeyError.unknownKeyOfCiphertext
        }
        guard let requested else { return decided }
        // A bare id will do for a foreign key here: the blob says of which account it is.
        if case .keyID(let id) = requested, id == decided.key.keyID { return decided }
        // After the decision: only who may use the blob's key learns whether the names agree.
        let named = try await reading.key(requested, account: call.caller.account, lock: .none)
        guard named?.keyID == decided.key.keyID else { throw KeyError.incorrectKey }
        return decided
    }

    private func decideUse(
        _ call: KeyCall, _ reference: KeyReference, _ use: KeyUse, alias: KeyReference? = nil, _ reading: any KeyReading
    ) async throws -> DecidedKey {
        for token in use.grantTokens { _ = try tokens.grantID(of: token) }
        var input = DecisionInput(encryptionContext: use.encryptionContext, acceptsAlias: true)
        input.context = Self.aliasCondition(alias ?? reference)
        return try await decide(call, reference, input, reading: reading)
    }

    private func material(
        _ call: KeyCall, _ reference: KeyReference, _ use: KeyUse, _ reading: any KeyReading
    ) async throws -> OpenedMaterial {
        let key = try await decideUse(call, reference, use, reading).key
        if use.isDryRun { throw KeyError.dryRun }
        return try await openMaterial(Hex.decode(key.metadata.currentMaterialID) ?? [], of: key, reading)
    }

    func openMaterial(_ id: [UInt8], of key: KeyRow, _ reading: any KeyReading) async throws -> OpenedMaterial {
        do {
            guard let opened = try await reading.material(id, of: key) else { throw KeyError.invalidCiphertext }
            return opened
        } catch let error as VaultError where error.code == .absent {
            // The key was deleted, and a database from before that was restored.
            throw KeyError(.invalidState, "\(key.arn) is unavailable.", cause: error)
        }
    }

    static func aliasCondition(_ reference: KeyReference) -> ConditionContext {
        var context = ConditionContext()
        switch reference {
        case .aliasName(let name): context.set("kms:RequestAlias", name)
        case .aliasARN(let arn): context.set("kms:RequestAlias", arn.resource)
        case .keyID, .keyARN: break
        }
        return context
    }
}
