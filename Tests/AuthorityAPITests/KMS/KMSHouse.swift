import AWSProtocol
import AWSServer
import Accounts
import AuditTrail
import AuthorityAPI
import FoundationEssentials
import Keys
import Logging
import Postgres
import PostgresTesting
import Secrets

/// A bootstrapped authority with keys and vault, called as clients call it, without its HTTP edge.
struct KMSHouse: Sendable {
    static let customer = AuthorityHouse.customer
    static let region = AuthorityHouse.region
    static let requestID = "11111111-2222-3333-4444-555555555555"

    let pool: PostgresPool
    let accounts: AccountsStore
    let keys: KeyService
    let handler: AuthorityHandler
    let users: [String: AWSCredentials]
    let defaultKey: ARN

    nonisolated(nonsending) static func with(_ body: (KMSHouse) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/forecastle-kms-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await TestDatabase.with(migrations: .authority) { pool in
            try await body(try await KMSHouse(pool, folder: folder))
        }
    }

    private init(_ pool: PostgresPool, folder: String) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let identity = ServiceIdentity(region: Self.region)
        let vault = try await Vault.open(directory: folder + "/vault", rootKeyFile: folder + "/root.key", createRootKey: true)
        let trail = try await AuditTrail.open(pool: pool, logger: logger)
        let accounts = AccountsStore(pool: pool, sealer: VaultSealer(vault: vault), trail: trail, region: Self.region)
        let authenticator = try await RequestAuthenticator.make(store: accounts, verifier: SigV4Verifier(region: Self.region))
        let keys = try KeyService(
            pool: pool, accounts: accounts, trail: trail, vault: vault, identity: identity, logger: logger)
        handler = AuthorityHandler(
            services: [
                KMSService(keys: keys), STSService(accounts: accounts, pool: pool, trail: trail, identity: identity),
                CloudTrailService(accounts: accounts, pool: pool, trail: trail, identity: identity),
            ], authenticator: authenticator, recorder: CallRecorder(trail: trail, identity: identity), region: Self.region,
            logger: logger)
        let bootstrap = AuthorityBootstrap(accounts: accounts, identity: identity) { try await keys.ensureDefaultKey(of: $0) }
        let made = try await bootstrap.run(customer: Self.customer)
        users = Dictionary(
            uniqueKeysWithValues: made.credentials.map {
                ($0.user, AWSCredentials(accessKeyID: $0.key.accessKeyID, secretAccessKey: $0.key.secretAccessKey))
            })
        defaultKey = made.defaultKey
        self.pool = pool
        self.accounts = accounts
        self.keys = keys
    }

    var admin: AWSCredentials { users["admin"]! }

    func user(_ name: String, allowing actions: String? = nil) async throws -> AWSCredentials {
        _ = try await accounts.createUser(name, account: Self.customer, by: .commandLine)
        if let actions {
            try await accounts.putPolicy(
                "p", document: #"{"Statement":{"Effect":"Allow","Action":"\#(actions)","Resource":"*"}}"#, of: .user(name),
                account: Self.customer, by: .commandLine)
        }
        let key = try await accounts.createAccessKey(user: name, account: Self.customer, by: .commandLine)
        return AWSCredentials(accessKeyID: key.accessKeyID, secretAccessKey: key.secretAccessKey)
    }

    func kms(_ operation: String, _ body: JSONObject, as credentials: AWSCredentials? = nil) async throws -> KMSAnswer {
        try await call("TrentService.\(operation)", body, as: credentials ?? admin, service: "kms")
    }

    func trail(_ body: JSONObject, as credentials: AWSCredentials? = nil, operation: String = "LookupEvents") async throws
        -> KMSAnswer
    {
        try await call(
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.\(operation)", body, as: credentials ?? admin,
            service: "cloudtrail")
    }

    private func call(
        _ target: String, _ body: JSONObject, as credentials: AWSCredentials, service: String
    ) async throws -> KMSAnswer {
        var request = AWSRequest(
            headers: [
                ("Host", "127.0.0.1"), ("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", target),
                ("User-Agent", "test/1"),
            ],
            body: body.serialized(), sourceAddress: "198.51.100.7", receivedAt: Date())
        try SigV4Signer(credentials: credentials, region: Self.region, service: service).sign(&request, at: Date())
        return try await KMSAnswer(handler.respond(to: request, requestID: Self.requestID))
    }

    /// Credentials of a session that the worker makes for a resource of the service.
    func serviceSession(of role: RoleEntity, name: String) async throws -> AWSCredentials {
        try await assume(
            role, as: users["forecastle-worker"]!, name: name,
            headers: [
                (ServiceHeaders.sourceARN, "arn:aws:forecast:\(Self.region):\(Self.customer):predictor/p"),
                (ServiceHeaders.sourceAccount, Self.customer), (ServiceHeaders.sourceIP, "203.0.113.50"),
                (ServiceHeaders.userAgent, "Boto3/1.43"),
            ])
    }

    func assume(
        _ role: RoleEntity, as credentials: AWSCredentials, name: String, headers: [(String, String)] = []
    ) async throws -> AWSCredentials {
        let form = ["Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role.arn.description, "RoleSessionName": name]
            .map { "\(PercentEncoding.encode($0))=\(PercentEncoding.encode($1))" }.joined(separator: "&")
        var request = AWSRequest(
            headers: [("Host", "127.0.0.1"), ("Content-Type", "application/x-www-form-urlencoded")] + headers,
            body: Array(form.utf8), sourceAddress: "127.0.0.1", receivedAt: Date())
        try SigV4Signer(credentials: credentials, region: Self.region, service: "sts").sign(&request, at: Date())
        let answer = await Answer(handler.respond(to: request, requestID: Self.requestID))
        guard let id = answer["AccessKeyId"], let secret = answer["SecretAccessKey"], let token = answer["SessionToken"] else {
            throw AWSError(code: answer.code, message: answer.text, status: answer.status)
        }
        return AWSCredentials(accessKeyID: id, secretAccessKey: Redacted(secret), sessionToken: token)
    }

    func createKey(_ members: JSONObject = [:]) async throws -> String {
        try await kms("CreateKey", members).json["KeyMetadata"]?["Arn"]?.stringValue ?? ""
    }

    /// Records of one account by event name, oldest first.
    func records(_ event: String, account: String = customer) async throws -> [JSONValue] {
        try await pool.query(
            "SELECT record FROM audit_records WHERE event_name = \(event) AND account = \(account) ORDER BY position"
        ).map { try JSONValue.parse(Array(try $0.get("record", as: String.self).utf8)) }
    }
}

/// An answer with its plaintext, as the client sees it.
struct KMSAnswer: Sendable {
    let status: Int
    let json: JSONValue
    /// Whether the body was built in locked memory.
    let isSecret: Bool

    init(_ response: AWSResponse) throws {
        status = response.status
        let bytes: [UInt8]
        switch response.body {
        case .bytes(let plain):
            bytes = plain
            isSecret = false
        case .secret(let secret):
            bytes = try secret.withUnsafeBytes { Array($0) }
            isSecret = true
        }
        json = bytes.isEmpty ? .null : try JSONValue.parse(bytes)
    }

    var code: String { json["__type"]?.stringValue ?? "" }
    subscript(member: String) -> String? { json[member]?.stringValue }
}
