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
    let board: CacheBoard

    static func open(
        _ process: RoleProcess, pool: PostgresPool, createRootKey: Bool, listener: (any KeyEventListener)? = nil
    ) async throws -> AuthorityCore {
        let values = process.values
        let identity = ServiceIdentity(account: values.string("service_account"), region: values.string("region"))
        let vault = try await Vault.open(
            directory: try values.required("authority.vault_directory"),
            rootKeyFile: try values.required("authority.root_key_file"), createRootKey: createRootKey)
        let board = CacheBoard()
        let trail = try await AuditTrail.open(pool: pool, logger: process.logger)
        let accounts = AccountsStore(
            pool: pool, sealer: VaultSealer(vault: vault), trail: trail, region: values.string("region"), board: board)
        let keys = try KeyService(
            pool: pool, accounts: accounts, trail: trail, vault: vault, identity: identity, listener: listener, board: board,
            logger: process.logger)
        return AuthorityCore(accounts: accounts, keys: keys, trail: trail, identity: identity, board: board)
    }
}
