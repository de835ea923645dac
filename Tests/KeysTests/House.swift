import AWSProtocol
import Accounts
import AuditTrail
import FoundationEssentials
import Keys
import Logging
import Policies
import Postgres
import PostgresTesting
import Secrets
import Synchronization

let customer = "123456789012"
let stranger = "444455556666"
let region = "us-west-2"
let service = ServiceIdentity(region: region)
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Remembers what was announced.
final class Announcements: KeyEventListener {
    private let events = Mutex<[KeyEvent]>([])
    func keyChanged(_ event: KeyEvent) async { events.withLock { $0.append(event) } }
    var heard: [KeyEvent.Kind] { events.withLock { $0.map(\.kind) } }
}

/// A folder that goes when its holder goes.
final class Folder: Sendable {
    let path = FileManager.default.temporaryDirectory.path + "/forecastle-keys-\(UUID().uuidString)"
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func vault(replicas: Int = 1) async throws -> Vault {
        let directories = [path + "/vault"] + (1..<replicas).map { path + "/vault\($0 + 1)" }
        return try await Vault.open(directories: directories, rootKeys: RootKeyFiles(file: path + "/root.key"), create: true)
    }
}

/// An authority with two customers' accounts and the service's, each with an administrator.
struct House: Sendable {
    let pool: PostgresPool
    let accounts: AccountsStore
    let trail: AuditTrail
    let keys: KeyService
    let announcements: Announcements
    let folder: Folder
    let vault: Vault
    let security: SecurityGuard

    nonisolated(nonsending) static func with(
        limits: KeyService.Limits = .init(), replicas: Int = 1, _ body: (House) async throws -> Void
    ) async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            let folder = try Folder()
            let vault = try await folder.vault(replicas: replicas)
            let security = SecurityGuard(pool: pool, vault: vault, closesAfter: .seconds(3600), logger: quiet)
            try await security.admit()
            let trail = try await AuditTrail.open(pool: pool, logger: quiet)
            let accounts = AccountsStore(pool: pool, sealer: VaultSealer(vault: vault), trail: trail, region: region)
            let announcements = Announcements()
            let keys = try KeyService(
                pool: pool, accounts: accounts, trail: trail, vault: vault, identity: service, listener: announcements,
                limits: limits, logger: quiet)
            let house = House(
                pool: pool, accounts: accounts, trail: trail, keys: keys, announcements: announcements, folder: folder,
                vault: vault, security: security)
            for account in [customer, stranger, service.account] {
                try await accounts.createAccount(account, name: "a", by: .commandLine)
                _ = try await house.user("admin", of: account, allows: ["*"])
            }
            try await body(house)
        }
    }

    /// The guard of another process, which has read nothing yet.
    func anotherGuard() -> SecurityGuard {
        SecurityGuard(pool: pool, vault: vault, closesAfter: .seconds(3600), logger: quiet)
    }

    // MARK: Principals

    /// A user with an identity policy for these actions on everything.
    func user(_ name: String, of account: String = customer, allows actions: [String] = []) async throws -> Principal {
        let user = try await accounts.createUser(name, account: account, by: .commandLine)
        if !actions.isEmpty {
            try await accounts.putPolicy("p", document: Self.allow(actions), of: .user(name), account: account, by: .commandLine)
        }
        return Principal(
            kind: .user(.init(name: name)), account: account, arn: user.arn, userID: user.userID, accessKeyID: "AKIATEST")
    }

    func existingUser(_ name: String, of account: String = customer) async throws -> Principal {
        let user = try await accounts.user(name, account: account)!
        return Principal(
            kind: .user(.init(name: name)), account: account, arn: user.arn, userID: user.userID, accessKeyID: "AKIATEST")
    }

    var admin: Principal { get async throws { try await existingUser("admin") } }

    func role(_ name: String, of account: String = customer, allows actions: [String] = []) async throws -> RoleEntity {
        let role = try await accounts.createRole(
            name, account: account, trustPolicy: #"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}"#,
            by: .commandLine)
        if !actions.isEmpty {
            try await accounts.putPolicy("p", document: Self.allow(actions), of: .role(name), account: account, by: .commandLine)
        }
        return role
    }

    func session(
        of role: RoleEntity, name: String = "s1", policy: String? = nil, record: SessionRecord? = nil
    ) async throws -> Principal {
        let prepared = try await accounts.prepareSession()
        let request = SessionRequest(role: role, name: name, seconds: 900, policy: policy, record: record)
        let credentials = try await pool.transaction { try await accounts.insert(prepared, for: request, on: $0) }
        return Principal(
            kind: .assumedRole(
                .init(
                    roleARN: role.arn, roleID: role.roleID, sessionName: name, createdAt: Date(),
                    expiresAt: credentials.expiresAt, record: record)),
            account: role.account, arn: .session(account: role.account, role: role.name, name: name),
            userID: "\(role.roleID):\(name)", accessKeyID: credentials.accessKeyID)
    }

    func root(of account: String) -> Principal {
        Principal(
            kind: .root, account: account, arn: ARN(service: "iam", region: "", account: account, resource: "root"),
            userID: account, accessKeyID: "AKIAROOT")
    }

    static func allow(_ actions: [String]) -> String {
        let list = actions.map { "\"\($0)\"" }.joined(separator: ",")
        return #"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":[\#(list)],"Resource":"*"}}"#
    }

    // MARK: Calls

    func call(_ principal: Principal, _ operation: KeyOperation, at time: Date = Date()) -> KeyCall {
        let circumstances = RequestCircumstances(
            time: time, sourceIP: "203.0.113.7", isSecureTransport: false, region: region)
        let record = CloudTrailRecord(
            userIdentity: principal.trailIdentity(service), eventTime: time, eventSource: "kms.amazonaws.com",
            eventName: operation.rawValue, awsRegion: region, sourceIPAddress: "203.0.113.7", userAgent: "test",
            requestID: UUID().uuidString, readOnly: operation.isReadOnly, recipientAccountID: principal.account)
        return KeyCall(
            caller: KeyCaller(principal: principal, circumstances: circumstances), operation: operation, record: record)
    }

    func createKey(_ principal: Principal? = nil, policy: String? = nil) async throws -> KeyReference {
        let caller: Principal
        if let principal { caller = principal } else { caller = try await admin }
        let key = try await keys.createKey(call(caller, .createKey), KeyCreation(policy: policy))
        return .keyARN(key.arn)
    }

    func encrypt(
        _ principal: Principal, _ key: KeyReference, _ text: String = "secret", context: [String: String] = [:],
        dryRun: Bool = false
    ) async throws -> [UInt8] {
        let secret = Array(text.utf8).withUnsafeBytes { Secrets.SharedSecret(SecretBytes(copying: $0)) }
        return try await keys.encrypt(
            call(principal, .encrypt), key: key, plaintext: secret, use: KeyUse(encryptionContext: context, isDryRun: dryRun)
        ).ciphertext
    }

    func decrypt(
        _ principal: Principal, _ blob: [UInt8], key: KeyReference? = nil, context: [String: String] = [:], dryRun: Bool = false,
        tokens: [String] = []
    ) async throws -> String {
        let plain = try await keys.decrypt(
            call(principal, .decrypt), ciphertext: blob, key: key,
            use: KeyUse(encryptionContext: context, grantTokens: tokens, isDryRun: dryRun)
        ).plaintext
        return try plain.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    func grant(
        _ principal: Principal, _ key: KeyReference, to grantee: ARN, retiring: ARN? = nil,
        _ operations: [GrantOperation] = [.decrypt, .generateDataKey], subset: [String: String]? = nil,
        equals: [String: String]? = nil, name: String? = nil, dryRun: Bool = false
    ) async throws -> CreatedGrant {
        try await keys.createGrant(
            call(principal, .createGrant), key: key,
            GrantRequest(
                grantee: grantee.description, retiring: retiring?.description, operations: operations,
                constraints: .init(equals: equals, subset: subset), name: name),
            grantTokens: [], isDryRun: dryRun)
    }

    func arn(_ key: KeyReference) -> ARN {
        guard case .keyARN(let arn) = key else { preconditionFailure("Tests name keys by ARN.") }
        return arn
    }

    /// Records of an account, newest first.
    func events(of account: String = customer, named name: String? = nil) async throws -> [JSONValue] {
        let attributes = name.map { [EventLookup.Attribute(key: .eventName, value: $0)] } ?? []
        let page = try await trail.lookup(
            EventLookup(
                account: account, attributes: attributes, start: nil, end: nil, maxResults: nil, nextToken: nil, now: Date()))
        return try page.events.map { try JSONValue.parse(Array($0.record.utf8)) }
    }
}

/// The code that the body was refused with.
nonisolated(nonsending) func refusal(_ body: () async throws -> Void) async -> KeyError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? KeyError)?.code
    }
}
