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
        case .reEncrypt:
            return try await reEncrypt(call, input)
        case .generateRandom:
            let random = try await keys.generateRandom(call, bytes: try input.randomBytes())
            defer { random.wipe() }
            return .secretJSON(try Self.body([:], plaintext: random))
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
        guard let ciphertext = try input.ciphertext(), try !input.ignoresCiphertext() else {
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

    private func reEncrypt(_ call: KeyCall, _ input: KMSInput) async throws -> AWSReply {
        try input.checkAlgorithm("SourceEncryptionAlgorithm")
        try input.checkAlgorithm("DestinationEncryptionAlgorithm")
        let ciphertext = try input.ciphertext()
        let ignoresCiphertext = try input.ignoresCiphertext()
        let made = try await keys.reEncrypt(
            call,
            ReEncryption(
                ciphertext: ignoresCiphertext ? nil : ciphertext,
                source: try ignoresCiphertext ? input.key("SourceKeyId") : input.optionalKey("SourceKeyId"),
                sourceContext: try input.encryptionContext("SourceEncryptionContext"),
                destination: try input.key("DestinationKeyId"),
                destinationContext: try input.encryptionContext("DestinationEncryptionContext"),
                grantTokens: try input.grantTokens(), isDryRun: try input.isSet("DryRun")))
        return .json([
            "CiphertextBlob": .string(Base64.encode(made.ciphertext)), "SourceKeyId": .string(made.sourceARN.description),
            "KeyId": .string(made.destinationARN.description),
            "SourceEncryptionAlgorithm": .string(KeyMetadata.encryptionAlgorithm),
            "DestinationEncryptionAlgorithm": .string(KeyMetadata.encryptionAlgorithm),
            "SourceKeyMaterialId": .string(made.sourceMaterialID),
            "DestinationKeyMaterialId": .string(made.destinationMaterialID),
        ])
    }

    private static func body(_ members: JSONObject, plaintext: SharedSecret) throws -> SharedSecret {
        try plaintext.withUnsafeBytes { members.serialized(secretMember: "Plaintext", $0) }
    }
}
