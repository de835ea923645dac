import AWSProtocol
package import AuditTrail
package import Freshness
import Policies
package import Postgres

import struct FoundationEssentials.Date

/// Accounts, users, groups, access keys, roles, policies, MFA devices and sessions in the authority's database.
///
/// Every change is one transaction that holds its audit record. What a request may do is read when it is decided, in the
/// transaction that the caller hands in, or comes from a cache whose version that request's record proves (`Freshness`).
package final class AccountsStore: Sendable {
    /// As in IAM: two, so that a key can be replaced without a gap.
    package static let maximumAccessKeysPerUser = 2
    /// Rows of one listing.
    package static let maximumListed = 1000

    package let policies = PolicyCache()
    let pool: PostgresPool
    let sealer: any SecretSealer
    private let trail: AuditTrail
    private let region: String
    let board: CacheBoard
    let known: VersionedCache<String, KnownCredential>
    let knownPolicyCache: VersionedCache<KnownPolicyHolder, SubjectPolicies>

    package init(
        pool: PostgresPool, sealer: any SecretSealer, trail: AuditTrail, region: String, board: CacheBoard = CacheBoard()
    ) {
        self.pool = pool
        self.sealer = sealer
        self.trail = trail
        self.region = region
        self.board = board
        known = VersionedCache(board: board, maximumEntries: Self.maximumKnownCredentials)
        knownPolicyCache = VersionedCache(board: board, maximumEntries: Self.maximumKnownPolicies)
    }

    /// Runs a change and its record in one transaction: the one way by which anything here changes. It is run again where it
    /// lost against another, so it must have no effect outside the database.
    @discardableResult
    nonisolated(nonsending) package func change<R: Sendable>(
        _ body: (PostgresConnection) async throws -> (R, CloudTrailRecord)
    ) async throws -> R {
        do {
            let (result, account) = try await pool.retryingSerialization { connection in
                let (result, record) = try await body(connection)
                try await trail.append(record, on: connection)
                return (result, record.recipientAccountID)
            }
            board.changed(.account(account))
            return result
        } catch let error as PostgresError where error.isUniqueViolation {
            throw AccountsError(.entityAlreadyExists, "There is one of that name already.")
        } catch let error as PostgresError where error.sqlState == Self.foreignKeyViolation {
            throw AccountsError(
                .noSuchEntity, "The account does not exist, or something still belongs to what was to be deleted.")
        }
    }

    /// The same by an administrator, for a change whose record depends on what it did.
    nonisolated(nonsending) func change<R: Sendable>(
        by actor: AdminActor, _ body: (PostgresConnection) async throws -> (R, AccountEvent)
    ) async throws -> R {
        try await change { connection in
            let (result, event) = try await body(connection)
            return (result, event.record(by: actor, region: region, at: Date()))
        }
    }

    nonisolated(nonsending) func change<R: Sendable>(
        _ event: AccountEvent, by actor: AdminActor, _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await change(by: actor) { (try await body($0), event) }
    }

    private static let foreignKeyViolation = "23503"
}

// MARK: Accounts

extension AccountsStore {
    package func createAccount(_ id: String, name: String, by actor: AdminActor) async throws {
        try NameRules.account(id)
        guard (1...128).contains(name.unicodeScalars.count) else {
            throw AccountsError(.invalidInput, "An account's name has 1 to 128 characters.")
        }
        let event = AccountEvent(
            name: "CreateAccount", account: id, source: "organizations.amazonaws.com",
            parameters: ["accountId": .string(id), "accountName": .string(name)])
        try await change(event, by: actor) { connection in
            _ = try await connection.execute("INSERT INTO accounts (account, name) VALUES (\(id), \(name))")
        }
    }

    package func accounts() async throws -> [Account] {
        try await pool.query(
            "SELECT account, name, created_at FROM accounts ORDER BY account LIMIT \(Self.maximumListed)"
        ).map { Account(id: try $0.get("account"), name: try $0.get("name"), createdAt: try $0.get("created_at")) }
    }

    package func accountExists(_ id: String, on connection: PostgresConnection) async throws -> Bool {
        try await !connection.query("SELECT 1 FROM accounts WHERE account = \(id)").isEmpty
    }
}
