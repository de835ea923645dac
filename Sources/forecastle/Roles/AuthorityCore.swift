import Accounts
import AuditTrail
import Freshness
import Keys
import Postgres

/// The rooms of the authority, put together: for its process and for the bootstrap.
struct AuthorityCore: Sendable {
    let accounts: AccountsStore
    let keys: KeyService
    let trail: AuditTrail
    let identity: ServiceIdentity
    /// Has let the database in; whoever serves runs it.
    let security: SecurityGuard
    let board: CacheBoard

    static func open(
        _ process: RoleProcess, pool: PostgresPool, createRootKey: Bool, listener: (any KeyEventListener)? = nil,
        changeShards: Int = 0, pace: ExportPace = ExportPace()
    ) async throws -> AuthorityCore {
        let values = process.values
        let identity = ServiceIdentity(account: values.string("service_account"), region: values.string("region"))
        let vault = try await VaultSettings.open(values, create: createRootKey)
        let security = VaultSettings.securityGuard(values, pool: pool, vault: vault, logger: process.logger)
        // Before anything is written.
        try await security.admit()
        let board = CacheBoard()
        let trail = try await AuditTrail.open(
            pool: pool, logger: process.logger, changeShards: changeShards, pace: pace)
        let accounts = AccountsStore(
            pool: pool, sealer: VaultSealer(vault: vault), trail: trail, region: values.string("region"), board: board)
        let keys = try KeyService(
            pool: pool, accounts: accounts, trail: trail, vault: vault, identity: identity, listener: listener, board: board,
            logger: process.logger)
        return AuthorityCore(
            accounts: accounts, keys: keys, trail: trail, identity: identity, security: security, board: board)
    }
}
