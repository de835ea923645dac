import AWSProtocol
import Keys

extension KMSInput {
    private enum Spec: String, CaseIterable {
        case symmetric = "SYMMETRIC_DEFAULT"
        case rsa2048 = "RSA_2048", rsa3072 = "RSA_3072", rsa4096 = "RSA_4096"
        case p256 = "ECC_NIST_P256", p384 = "ECC_NIST_P384", p521 = "ECC_NIST_P521", k256 = "ECC_SECG_P256K1"
        case ed25519 = "ECC_NIST_EDWARDS25519"
        case hmac224 = "HMAC_224", hmac256 = "HMAC_256", hmac384 = "HMAC_384", hmac512 = "HMAC_512"
        case sm2 = "SM2", mldsa44 = "ML_DSA_44", mldsa65 = "ML_DSA_65", mldsa87 = "ML_DSA_87"
        case mlkem512 = "ML_KEM_512", mlkem768 = "ML_KEM_768", mlkem1024 = "ML_KEM_1024"
    }

    private enum Usage: String, CaseIterable {
        case encrypt = "ENCRYPT_DECRYPT", sign = "SIGN_VERIFY", mac = "GENERATE_VERIFY_MAC", agreement = "KEY_AGREEMENT"
        case encapsulation = "ENCAPSULATE_DECAPSULATE"
    }

    private enum Origin: String, CaseIterable {
        case own = "AWS_KMS", external = "EXTERNAL", hsm = "AWS_CLOUDHSM", store = "EXTERNAL_KEY_STORE"
    }

    /// Whatever is no symmetric key with material of our own is known to the model and refused as unsupported.
    func creation() throws -> KeyCreation {
        let spec = try body.optionalEnum("KeySpec", as: Spec.self)
        let oldSpec = try body.optionalEnum("CustomerMasterKeySpec", as: Spec.self)
        let usage = try body.optionalEnum("KeyUsage", as: Usage.self) ?? .encrypt
        let origin = try body.optionalEnum("Origin", as: Origin.self) ?? .own
        if spec != nil, oldSpec != nil {
            throw AWSError.validation("You cannot specify KeySpec and CustomerMasterKeySpec in the same request.")
        }
        let other = ["CustomKeyStoreId", "XksKeyId"].contains { body[$0].map { !$0.isNull } ?? false }
        guard (spec ?? oldSpec ?? .symmetric) == .symmetric, usage == .encrypt, origin == .own, !other,
            try !isSet("MultiRegion")
        else {
            throw KeyError(
                .unsupported,
                "Only keys with KeySpec SYMMETRIC_DEFAULT, KeyUsage ENCRYPT_DECRYPT and Origin AWS_KMS are supported.")
        }
        return try KeyCreation(
            description: try body.optionalString("Description", length: 0...KeyCreation.maximumDescriptionCharacters) ?? "",
            policy: try policy(), tags: try optionalTags() ?? [],
            bypassesLockoutCheck: try isSet("BypassPolicyLockoutSafetyCheck"))
    }
}
