import AWSClients
import AWSProtocol
import Keys
import Logging
import Postgres
import Secrets

/// The vault as the settings describe it, and the guard that holds it together with its database.
enum VaultSettings {
    enum Source: String { case file, mounted, kms }

    static func open(_ values: ConfigurationValues, create: Bool = false) async throws -> Vault {
        try await Vault.open(directories: try directories(values), rootKeys: try rootKeys(values), create: create)
    }

    static func directories(_ values: ConfigurationValues) throws -> [String] {
        _ = try values.required("authority.vault_directory")
        let directories = values.list("authority.vault_directory")
        guard !directories.isEmpty, Set(directories).count == directories.count else {
            throw ConfigurationError(key: "authority.vault_directory", rule: "must name each directory once")
        }
        return directories
    }

    static func source(_ values: ConfigurationValues) -> Source {
        guard let source = Source(rawValue: values.string("authority.root_key_source")) else {
            preconditionFailure("The table of settings has the sources of the root key.")
        }
        return source
    }

    static func securityGuard(_ values: ConfigurationValues, pool: PostgresPool, vault: Vault, logger: Logger) -> SecurityGuard {
        SecurityGuard(
            pool: pool, vault: vault, closesAfter: values.duration(seconds: "authority.vault_closes_after_s"), logger: logger)
    }

    private static func rootKeys(_ values: ConfigurationValues) throws -> any RootKeySource {
        let file = try values.required("authority.root_key_file")
        switch source(values) {
        case .file: return RootKeyFiles(file: file)
        case .mounted: return RootKeyFiles(file: file, isMounted: true)
        case .kms: return WrappedRootKeys(file: file, wrapper: try KMSRootKeyWrapper(values))
        }
    }
}

/// Wraps the root key under a key of a KMS elsewhere: AWS, or another authority. Each version is bound to its number by the
/// encryption context, so that the files cannot be exchanged.
struct KMSRootKeyWrapper: RootKeyWrapper {
    private let client: KMSClient
    private let key: String

    init(_ values: ConfigurationValues) throws {
        let name = "authority.root_key_kms_key"
        key = try values.required(name)
        guard let arn = ARN(key), arn.service == "kms", arn.resourceType == "key" else {
            throw ConfigurationError(key: name, rule: "must be the ARN of a key")
        }
        let credentials = try CredentialsFile(path: try values.required("authority.root_key_kms_credentials_file")).read()
        let configured = values.string("authority.root_key_kms_endpoint")
        let configuration = AWSClientConfiguration(
            endpoint: configured.isEmpty ? "https://kms.\(arn.region).amazonaws.com" : configured, region: arn.region,
            credentials: StaticCredentials(credentials))
        do {
            try configuration.validate()
        } catch {
            throw ConfigurationError(key: "authority.root_key_kms_endpoint", rule: "cannot be used: \(error.message)")
        }
        client = KMSClient(
            configuration: configuration,
            transport: try TLSSettings(values).elsewhere(logger: Logger(label: "forecastle.vault")))
    }

    static func context(version: Int) -> [String: String] {
        ["forecastle:purpose": "root-key", "forecastle:version": "\(version)"]
    }

    func generate(version: Int) async throws -> [UInt8] {
        let made = try await client.generateDataKey(key, encryptionContext: Self.context(version: version))
        made.plaintext.wipe()
        return made.ciphertext
    }

    func unwrap(_ wrapped: [UInt8], version: Int) async throws -> SharedSecret {
        try await client.decrypt(wrapped, keyID: key, encryptionContext: Self.context(version: version))
    }
}
