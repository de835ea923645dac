import Accounts
import ArgumentParser
import AuditTrail
import AuthorityAPI
import Foundation
import Keys
import Logging
import Postgres

/// What every command of `admin` takes.
struct AdminOptions: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOptions

    @Flag(help: "Write JSON instead of a table.")
    var json = false

    /// Opens the authority's database and vault for one command on accounts.
    func run(_ body: (AccountsStore) async throws -> Void) async throws {
        try await withVault { authority in
            try await authority.security.admit()
            let trail = try await authority.openTrail()
            try await body(
                AccountsStore(
                    pool: authority.pool, sealer: VaultSealer(vault: authority.vault), trail: trail,
                    region: authority.identity.region))
            // What was withdrawn just now must not come back with an older database.
            try await authority.security.note()
        }
    }

    /// The same for a command that asks and changes nothing, for which the trail stays closed.
    func runReadOnly(_ body: (AccessExplainer) async throws -> Void) async throws {
        try await withVault { authority in
            try await authority.security.admit()
            let (pool, identity) = (authority.pool, authority.identity)
            let trail = AuditTrail.closed(pool: pool)
            let accounts = AccountsStore(
                pool: pool, sealer: VaultSealer(vault: authority.vault), trail: trail, region: identity.region)
            let keys = try KeyService(
                pool: pool, accounts: accounts, trail: trail, vault: authority.vault, identity: identity,
                logger: authority.logger)
            try await body(AccessExplainer(accounts: accounts, keys: keys, pool: pool, identity: identity))
        }
    }

    /// Opens database and vault, and writes nothing yet: whether they belong together is the command's to ask.
    func withVault(_ body: (AdminAuthority) async throws -> Void) async throws {
        let values = try configuration.load()
        var logger = Logger(label: "admin")
        logger.logLevel = .warning
        var database = try values.postgres("authority.postgres", applicationName: "forecastle admin")
        // Some commands look at whole tables.
        database.statementTimeout = .seconds(600)
        let pool = PostgresPool(configuration: database, logger: logger)
        defer { pool.close() }
        try await Migrations(directory: try MigrationsFolder.find(values), set: .authority).verify(on: pool)
        let vault = try await VaultSettings.open(values)
        try await body(
            AdminAuthority(
                pool: pool, vault: vault,
                security: VaultSettings.securityGuard(values, pool: pool, vault: vault, logger: logger),
                identity: ServiceIdentity(account: values.string("service_account"), region: values.string("region")),
                logger: logger))
    }
}

/// Database and vault, for a command.
struct AdminAuthority: Sendable {
    let pool: PostgresPool
    let vault: Vault
    let security: SecurityGuard
    let identity: ServiceIdentity
    let logger: Logger

    /// Starts the command's shard: call it once, and only to write.
    func openTrail() async throws -> AuditTrail { try await AuditTrail.open(pool: pool, logger: logger) }
}

/// The account that a command works in.
struct AccountOption: ParsableArguments {
    @Option(help: "Account id, 12 digits.")
    var account: String
}

/// A user or a role.
struct PolicyOwnerOption: ParsableArguments {
    @Option(help: "Name of the user that the policy belongs to.")
    var user: String?

    @Option(help: "Name of the role that the policy belongs to.")
    var role: String?

    func validate() throws {
        guard (user == nil) != (role == nil) else { throw ValidationError("Give --user or --role, one of the two.") }
    }

    var owner: PolicyOwner { user.map { .user($0) } ?? .role(role ?? "") }
}

/// Policy documents on their way in (a file, or standard input for `-`) and out.
enum DocumentFile {
    /// Longer than any policy may be.
    static let maximumBytes = 1 << 20

    static func read(_ path: String) throws -> String {
        let handle: FileHandle
        if path == "-" {
            handle = .standardInput
        } else {
            guard let file = FileHandle(forReadingAtPath: path) else { throw ValidationError("\(path) cannot be read.") }
            handle = file
        }
        let data = try handle.read(upToCount: maximumBytes + 1) ?? Data()
        guard data.count <= maximumBytes, let text = String(validating: data, as: UTF8.self) else {
            throw ValidationError("\(path) is not a policy: it is longer than \(maximumBytes) bytes or no UTF-8.")
        }
        return text
    }

    /// Prints a document as it was put, with one line end.
    static func show(_ document: String) {
        print(document, terminator: document.hasSuffix("\n") ? "" : "\n")
    }
}
