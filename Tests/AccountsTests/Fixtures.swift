import AWSProtocol
import Accounts
import AuditTrail
import FoundationEssentials
import Logging
import Policies
import Postgres
import PostgresTesting
import Secrets
import Synchronization

import enum Crypto.AES
import struct Crypto.SymmetricKey

/// Seals with a key of the test's own; the label is bound as associated data.
struct TestSealer: SecretSealer {
    /// How many secrets were opened.
    let opened = Counter()

    final class Counter: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }
        func add() { count.withLock { $0 += 1 } }
    }

    private let key = SymmetricKey(size: .bits256)

    func seal(_ secret: SharedSecret, label: String) async throws -> [UInt8] {
        let bytes = try secret.withUnsafeBytes { Array($0) }
        return Array(try AES.GCM.seal(bytes, using: key, authenticating: Array(label.utf8)).combined!)
    }

    func open(_ sealed: [UInt8], label: String) async throws -> SharedSecret {
        opened.add()
        var bytes = Array(try AES.GCM.open(.init(combined: sealed), using: key, authenticating: Array(label.utf8)))
        return SharedSecret(SecretBytes(consuming: &bytes))
    }
}

let customer = "123456789012"
let region = "us-west-2"
let actor = AdminActor.commandLine

/// A store on a database of its own, with one account and the user `admin`.
struct House: Sendable {
    let pool: PostgresPool
    let store: AccountsStore
    let authenticator: RequestAuthenticator
    let sealer: TestSealer

    nonisolated(nonsending) static func with(_ body: (House) async throws -> Void) async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            let trail = try await AuditTrail.open(pool: pool, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let sealer = TestSealer()
            let store = AccountsStore(pool: pool, sealer: sealer, trail: trail, region: region)
            let authenticator = try await RequestAuthenticator.make(store: store, verifier: SigV4Verifier(region: region))
            try await store.createAccount(customer, name: "customer", by: actor)
            _ = try await store.createUser("admin", account: customer, by: actor)
            try await body(House(pool: pool, store: store, authenticator: authenticator, sealer: sealer))
        }
    }

    func session(
        of role: RoleEntity, name: String = "s1", seconds: Int = 900, policy: String? = nil, record: SessionRecord? = nil
    ) async throws -> SessionCredentials {
        let prepared = try await store.prepareSession()
        let request = SessionRequest(role: role, name: name, seconds: seconds, policy: policy, record: record)
        return try await pool.transaction { try await store.insert(prepared, for: request, on: $0) }
    }

    func role(_ name: String = "r") async throws -> RoleEntity {
        try await store.createRole(name, account: customer, trustPolicy: trustEverybody, by: actor)
    }

    /// Signs a call of KMS and has the authority say who did.
    func authenticate(
        _ id: String, _ secret: String, token: String? = nil, service: String = "kms", signedAt: Date = Date(),
        alter: (inout AWSRequest) -> Void = { _ in }
    ) async throws -> Principal {
        var request = AWSRequest(
            headers: [("Host", "127.0.0.1"), ("X-Amz-Target", "TrentService.ListKeys")], body: Array("{}".utf8),
            receivedAt: signedAt)
        let credentials = AWSCredentials(accessKeyID: id, secretAccessKey: Redacted(secret), sessionToken: token)
        try SigV4Signer(credentials: credentials, region: region, service: service).sign(&request, at: signedAt)
        alter(&request)
        let claim = try SignedRequestClaim(parsing: request)
        return try await authenticator.authenticate(claim, service: "kms", now: Date())
    }
}

let trustEverybody = #"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}"#
let allowAll = #"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#
