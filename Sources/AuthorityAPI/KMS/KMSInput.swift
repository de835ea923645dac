import AWSProtocol
import Keys
import Secrets

/// The members of KMS's requests, each within the bounds of the model (botocore, kms 2014-11-01).
struct KMSInput: Sendable {
    let body: JSONObject
    private let secret: SharedSecret?

    init(_ body: JSONObject, secret: SharedSecret? = nil) {
        self.body = body
        self.secret = secret
    }

    static let grantTokenCharacters = 1...8192
    static let maximumGrantTokens = 10
    static let policyCharacters = 1...131_072
    static let plaintextBytes = 1...CiphertextBlob.maximumPlaintextBytes
    static let ciphertextBytes = 1...CiphertextBlob.maximumBytes
    static let dataKeyBytes = 1...1024

    static let principal = StringRule(length: 1...256, pattern: #"^[\w+=,.@:/-]+$"#) { text in
        text.utf8.allSatisfy { isWord($0) || "+=,.@:/-".utf8.contains($0) }
    }
    static let grantName = StringRule(length: 1...256, pattern: "^[a-zA-Z0-9:/_-]+$") { text in
        text.utf8.allSatisfy { isWord($0) || ":/-".utf8.contains($0) }
    }
    private static let policyName = StringRule(length: 1...128, pattern: #"[\w]+"#) { $0.utf8.allSatisfy(isWord) }
    private static let aliasName = StringRule(length: 1...256, pattern: "^[a-zA-Z0-9:/_-]+$") { text in
        text.utf8.allSatisfy { isWord($0) || ":/-".utf8.contains($0) }
    }
    private static let marker = StringRule(length: 1...1024)

    static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
    }

    func key(_ name: String = "KeyId") throws -> KeyReference {
        try KeyReference(body.requiredString(name, length: 1...KeyReference.maximumCharacters))
    }

    func optionalKey(_ name: String = "KeyId") throws -> KeyReference? {
        try body.optionalString(name, length: 1...KeyReference.maximumCharacters).map { text in try KeyReference(text) }
    }

    func isSet(_ name: String) throws -> Bool { try body.optionalBool(name) ?? false }

    func grantTokens() throws -> [String] {
        let tokens = try body.optionalStrings("GrantTokens", count: 0...Self.maximumGrantTokens) ?? []
        guard tokens.allSatisfy({ Self.grantTokenCharacters.contains($0.utf8.count) }) else {
            throw AWSError.validation(field: "GrantTokens", rule: "Member must have length less than or equal to 8192")
        }
        return tokens
    }

    func encryptionContext(_ name: String = "EncryptionContext") throws -> [String: String] {
        let context = try body.optionalStringMap(name) ?? [:]
        // Refuses lengths that the canonical form has no room for.
        _ = try EncryptionContextEncoding.associatedData(context)
        return context
    }

    func checkRecipient() throws {
        guard try body.optionalObject("Recipient") == nil else {
            throw KeyError(.unsupported, "Recipient is not supported: there are no enclaves here.")
        }
    }

    func use() throws -> KeyUse {
        try checkRecipient()
        return KeyUse(encryptionContext: try encryptionContext(), grantTokens: try grantTokens(), isDryRun: try isSet("DryRun"))
    }

    /// A symmetric key knows one algorithm.
    func checkAlgorithm(_ member: String = "EncryptionAlgorithm") throws {
        guard let name = try body.optionalString(member) else { return }
        switch name {
        case KeyMetadata.encryptionAlgorithm: return
        case "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE":
            throw KeyError(.invalidKeyUsage, "The algorithm \(name) does not fit a symmetric key.")
        default:
            throw AWSError.validation(
                field: member,
                rule: "Member must satisfy enum value set: [SYMMETRIC_DEFAULT, RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE]")
        }
    }

    /// Whether a dry run is to do without the ciphertext.
    func ignoresCiphertext() throws -> Bool {
        let modifiers = try body.optionalStrings("DryRunModifiers") ?? []
        guard modifiers.allSatisfy({ $0 == "IGNORE_CIPHERTEXT" }) else {
            throw AWSError.validation(field: "DryRunModifiers", rule: "Member must satisfy enum value set: [IGNORE_CIPHERTEXT]")
        }
        return try !modifiers.isEmpty && isSet("DryRun")
    }

    /// The blob to open; nil only in a dry run that ignores it.
    func ciphertext() throws -> [UInt8]? {
        let ciphertext = try body.optionalBlob("CiphertextBlob", length: Self.ciphertextBytes)
        guard try ciphertext != nil || ignoresCiphertext() else {
            throw AWSError.validation(field: "CiphertextBlob", rule: "Member must not be null")
        }
        return ciphertext
    }

    /// Plaintext of Encrypt, in locked memory since it was received. Wiped by whoever took it from there.
    func plaintext() throws -> SharedSecret {
        guard let secret else { throw AWSError.validation(field: "Plaintext", rule: "Member must not be null") }
        guard Self.plaintextBytes.contains(secret.count) else {
            let bound =
                secret.count < Self.plaintextBytes.lowerBound
                ? "greater than or equal to \(Self.plaintextBytes.lowerBound)"
                : "less than or equal to \(Self.plaintextBytes.upperBound)"
            throw AWSError.validation(field: "Plaintext", rule: "Member must have length \(bound)")
        }
        return secret
    }

    /// Length of a data key in bytes: KeySpec or NumberOfBytes, one of them.
    func dataKeyBytes() throws -> Int {
        enum Spec: String, CaseIterable { case aes256 = "AES_256", aes128 = "AES_128" }
        let spec = try body.optionalEnum("KeySpec", as: Spec.self)
        let number = try body.optionalInt("NumberOfBytes", range: Self.dataKeyBytes)
        switch (spec, number) {
        case (.aes256, nil): return 32
        case (.aes128, nil): return 16
        case (nil, let number?): return number
        case (nil, nil), (.some, .some): throw AWSError.validation("Please specify either number of bytes or key spec.")
        }
    }

    func policy() throws -> String? { try body.optionalString("Policy", length: Self.policyCharacters) }

    func policyName() throws -> String {
        try body.optionalString("PolicyName", Self.policyName) ?? KeyService.defaultPolicyName
    }

    func aliasName() throws -> String { try body.requiredString("AliasName", Self.aliasName) }

    func limit(default fallback: Int, maximum: Int) throws -> Int {
        try body.optionalInt("Limit", range: 1...maximum) ?? fallback
    }

    func marker() throws -> String? { try body.optionalString("Marker", Self.marker) }
}
