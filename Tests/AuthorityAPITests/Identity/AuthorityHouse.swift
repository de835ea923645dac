import AWSProtocol
import AWSServer
import Accounts
import AuditTrail
import AuthorityAPI
import FoundationEssentials
import Logging
import Policies
import Postgres
import PostgresTesting
import Secrets
import Synchronization

/// Keeps secrets as they are, next to their label: what these tests are about is not sealing.
struct OpenSealer: SecretSealer {
    func seal(_ secret: SharedSecret, label: String) async throws -> [UInt8] {
        Array(label.utf8) + [0] + (try secret.withUnsafeBytes { Array($0) })
    }

    func open(_ sealed: [UInt8], label: String) async throws -> SharedSecret {
        var bytes = Array(sealed.dropFirst(label.utf8.count + 1))
        return SharedSecret(SecretBytes(consuming: &bytes))
    }
}

/// Answers about keys as a test says and remembers what it was asked.
final class KeyOracle: KeyAccessDecider {
    struct Question: Sendable {
        let principal: Principal
        let circumstances: RequestCircumstances
        let action: String
        let key: String
        let encryptionContext: [String: String]
    }

    let questions = Mutex<[Question]>([])
    let answer = Mutex<KeyAccess>(.allowed)

    func decide(
        principal: Principal, circumstances: RequestCircumstances, action: String, key: String,
        encryptionContext: [String: String],
        context: ConditionContext
    ) async throws -> KeyAccess {
        questions.withLock {
            $0.append(
                Question(
                    principal: principal, circumstances: circumstances, action: action, key: key,
                    encryptionContext: encryptionContext))
        }
        return answer.withLock { $0 }
    }
}

/// An authority that was bootstrapped for one customer, without its HTTP edge.
struct AuthorityHouse: Sendable {
    static let customer = "123456789012"
    static let region = "us-west-2"

    let pool: PostgresPool
    let accounts: AccountsStore
    let handler: AuthorityHandler
    let keys = KeyOracle()
    let identity = ServiceIdentity(region: region)
    let bootstrap: AuthorityBootstrap
    let users: [String: AWSCredentials]

    nonisolated(nonsending) static func with(
        quotas: RequestQuotas? = nil, _ body: (AuthorityHouse) async throws -> Void
    ) async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            try await body(try await AuthorityHouse(pool, quotas: quotas))
        }
    }

    private init(_ pool: PostgresPool, quotas: RequestQuotas?) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let trail = try await AuditTrail.open(pool: pool, logger: logger)
        let identity = identity
        accounts = AccountsStore(pool: pool, sealer: OpenSealer(), trail: trail, region: Self.region)
        let authenticator = try await RequestAuthenticator.make(
            store: accounts, verifier: SigV4Verifier(region: Self.region))
        let authorize = AuthorizeService(
            authenticator: authenticator, accounts: accounts, keys: keys, pool: pool, trail: trail, identity: identity)
        let sts = STSService(accounts: accounts, pool: pool, trail: trail, identity: identity)
        handler = AuthorityHandler(
            services: [authorize, sts, IAMService(accounts: accounts, pool: pool, trail: trail, identity: identity)],
            authenticator: authenticator,
            recorder: CallRecorder(trail: trail, identity: identity),
            admission: quotas.map { Admission(quotas: $0, trail: trail, identity: identity) }, region: Self.region,
            logger: logger)
        bootstrap = AuthorityBootstrap(accounts: accounts, identity: identity) { account in
            ARN(service: "kms", region: Self.region, account: identity.account, resource: "key/of-\(account)")
        }
        var users: [String: AWSCredentials] = [:]
        for made in try await bootstrap.run(customer: Self.customer).credentials {
            users[made.user] = AWSCredentials(
                accessKeyID: made.key.accessKeyID, secretAccessKey: made.key.secretAccessKey)
        }
        self.users = users
        self.pool = pool
    }

    var admin: AWSCredentials { users["admin"]! }
    var api: AWSCredentials { users["forecastle-api"]! }
    var worker: AWSCredentials { users["forecastle-worker"]! }

    /// A user of the customer with that policy.
    func user(_ name: String, allowing statement: String? = nil) async throws -> AWSCredentials {
        _ = try await accounts.createUser(name, account: Self.customer, by: .commandLine)
        if let statement {
            try await accounts.putPolicy(
                "p", document: #"{"Statement":\#(statement)}"#, of: .user(name), account: Self.customer, by: .commandLine)
        }
        let key = try await accounts.createAccessKey(user: name, account: Self.customer, by: .commandLine)
        return AWSCredentials(accessKeyID: key.accessKeyID, secretAccessKey: key.secretAccessKey)
    }

    func role(_ name: String, trust: String, account: String = customer, seconds: Int = 3600) async throws -> RoleEntity {
        try await accounts.createRole(
            name, account: account, trustPolicy: #"{"Version":"2012-10-17","Statement":\#(trust)}"#,
            maximumSessionSeconds: seconds, by: .commandLine)
    }

    // MARK: Calls

    func sts(
        _ action: String, _ parameters: [String: String] = [:], as credentials: AWSCredentials, headers: [(String, String)] = [],
        at time: Date = Date(), alter: (inout AWSRequest) -> Void = { _ in }
    ) async throws -> Answer {
        try await query(
            action, parameters.merging(["Version": "2011-06-15"]) { $1 }, service: "sts", as: credentials, headers: headers,
            at: time, alter: alter)
    }

    func iam(
        _ action: String, _ parameters: [String: String] = [:], as credentials: AWSCredentials, at time: Date = Date()
    ) async throws -> Answer {
        try await query(
            action, parameters.merging(["Version": "2010-05-08"]) { $1 }, service: "iam", as: credentials, at: time)
    }

    private func query(
        _ action: String, _ parameters: [String: String], service: String, as credentials: AWSCredentials,
        headers: [(String, String)] = [], at time: Date, alter: (inout AWSRequest) -> Void = { _ in }
    ) async throws -> Answer {
        let form = parameters.merging(["Action": action]) { $1 }
            .map { "\(PercentEncoding.encode($0))=\(PercentEncoding.encode($1))" }.joined(separator: "&")
        var request = AWSRequest(
            headers: [("Host", "127.0.0.1"), ("Content-Type", "application/x-www-form-urlencoded"), ("User-Agent", "test/1")]
                + headers,
            body: Array(form.utf8), sourceAddress: "198.51.100.7", receivedAt: time)
        try SigV4Signer(credentials: credentials, region: Self.region, service: service).sign(&request, at: time)
        alter(&request)
        return await Answer(handler.respond(to: request, requestID: "11111111-2222-3333-4444-555555555555"))
    }

    func json(
        _ target: String, _ body: JSONObject, as credentials: AWSCredentials, service: String,
        alter: (inout AWSRequest) -> Void = { _ in }
    ) async throws -> Answer {
        var request = AWSRequest(
            headers: [("Host", "127.0.0.1"), ("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", target)],
            body: body.serialized(), sourceAddress: "127.0.0.1", receivedAt: Date())
        try SigV4Signer(credentials: credentials, region: Self.region, service: service).sign(&request, at: Date())
        alter(&request)
        return await Answer(handler.respond(to: request, requestID: "11111111-2222-3333-4444-555555555555"))
    }

    /// Credentials of a new session; fails where the answer is an error.
    func assume(
        _ role: RoleEntity, as credentials: AWSCredentials, _ parameters: [String: String] = [:],
        headers: [(String, String)] = [],
        at time: Date = Date()
    ) async throws -> AWSCredentials {
        let answer = try await sts(
            "AssumeRole", ["RoleArn": role.arn.description, "RoleSessionName": "s1"].merging(parameters) { $1 }, as: credentials,
            headers: headers, at: time)
        return try self.credentials(in: answer)
    }

    /// The credentials that an answer of STS holds; throws its error where it is one.
    func credentials(in answer: Answer) throws -> AWSCredentials {
        guard let id = answer["AccessKeyId"], let secret = answer["SecretAccessKey"], let token = answer["SessionToken"] else {
            throw AWSError(code: answer.code, message: answer.text, status: answer.status)
        }
        return AWSCredentials(accessKeyID: id, secretAccessKey: Redacted(secret), sessionToken: token)
    }

    /// Records of one account by event name, oldest first.
    func records(_ event: String, account: String = customer) async throws -> [JSONValue] {
        try await pool.query(
            "SELECT record FROM audit_records WHERE event_name = \(event) AND account = \(account) ORDER BY position"
        ).map { try JSONValue.parse(Array(try $0.get("record", as: String.self).utf8)) }
    }
}

/// An answer as a client sees it.
struct Answer: Sendable {
    let status: Int
    let text: String

    init(_ response: AWSResponse) {
        status = response.status
        if case .bytes(let bytes) = response.body { text = String(decoding: bytes, as: UTF8.self) } else { text = "" }
    }

    var json: JSONValue { (try? JSONValue.parse(Array(text.utf8))) ?? .null }

    /// The error's code in either protocol; empty for a success.
    var code: String { json["__type"]?.stringValue ?? (status == 200 ? "" : self["Code"] ?? text) }

    /// The text of the first XML element of that name.
    subscript(element: String) -> String? {
        guard let start = text.firstRange(of: "<\(element)>"), let end = text.firstRange(of: "</\(element)>") else { return nil }
        return String(text[start.upperBound..<end.lowerBound])
    }
}
