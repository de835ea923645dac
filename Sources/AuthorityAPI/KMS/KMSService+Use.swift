import AWSProtocol
import Keys
import Secrets

extension KMSService {
    /// Answers with plaintext are built in locked memory; the key that they were built from is wiped at once.
    func answerUse(_ call: KeyCall, _ input: KMSInput) async throws -> AWSReply {
        switch call.operation {
        case .encrypt:
            try input.checkAlgorithm()
            let sealed = try await keys.encrypt(
                call, key: try input.key(), plaintext: try input.plaintext(), use: try input.use())
            return .json([
                "CiphertextBlob": .string(Base64.encode(sealed.ciphertext)), "KeyId": .string(sealed.keyARN.description),
                "EncryptionAlgorithm": .string(KeyMetadata.encryptionAlgorithm),
            ])
        case .decrypt:
            return try await decrypt(call, input)
        default:
            let made = try await keys.generateDataKey(
                call, key: try input.key(), bytes: try input.dataKeyBytes(), use: try input.use())
            defer { made.plaintext.wipe() }
            let members: JSONObject = [
                "CiphertextBlob": .string(Base64.encode(made.ciphertext)), "KeyId": .string(made.keyARN.description),
                "KeyMaterialId": .string(made.materialID),
            ]
            guard call.operation == .generateDataKey else { return .json(members) }
            return .secretJSON(try Self.body(members, plaintext: made.plaintext))
        }
    }

    private func decrypt(_ call: KeyCall, _ input: KMSInput) async throws -> AWSReply {
        try input.checkAlgorithm()
        let use = try input.use()
        let modifiers = try input.body.optionalStrings("DryRunModifiers") ?? []
        guard modifiers.allSatisfy({ $0 == "IGNORE_CIPHERTEXT" }) else {
            throw AWSError.validation(field: "DryRunModifiers", rule: "Member must satisfy enum value set: [IGNORE_CIPHERTEXT]")
        }
        guard let ciphertext = try input.body.optionalBlob("CiphertextBlob", length: KMSInput.ciphertextBytes) else {
            guard use.isDryRun, !modifiers.isEmpty else {
                throw AWSError.validation(field: "CiphertextBlob", rule: "Member must not be null")
            }
            try await keys.decryptDryRun(call, key: try input.key(), use: use)
            return .empty
        }
        let opened = try await keys.decrypt(call, ciphertext: ciphertext, key: try input.optionalKey(), use: use)
        defer { opened.plaintext.wipe() }
        let members: JSONObject = [
            "KeyId": .string(opened.keyARN.description), "EncryptionAlgorithm": .string(KeyMetadata.encryptionAlgorithm),
            "KeyMaterialId": .string(opened.materialID),
        ]
        return .secretJSON(try Self.body(members, plaintext: opened.plaintext))
    }

    private static func body(_ members: JSONObject, plaintext: SharedSecret) throws -> SharedSecret {
        try plaintext.withUnsafeBytes { members.serialized(secretMember: "Plaintext", $0) }
    }
}
