import AWSProtocol
package import Accounts
package import AuditTrail
package import Freshness
package import Logging
package import Postgres

/// KMS: keys, their states and policies, aliases, grants, and the use of their material.
///
/// Every decision reads key, policy, grants and the caller's own policies in the transaction it is made in, or, for uses of a key,
/// from caches that the transaction of its record proves current; a change is written, with its audit record, in the
/// deciding transaction. What the operations mean is said with each of them; what they have in common is here.
package final class KeyService: Sendable {
    package struct Limits: Sendable {
        package var grantsPerKey = 50_000
        package var aliasesPerKey = 50
        package var keysPerAccount = 100_000
        package var rotationsOnDemandPerKey = 25
        package init() {}
    }

    package let identity: ServiceIdentity
    let accounts: AccountsStore
    let pool: PostgresPool
    let trail: AuditTrail
    let vault: Vault
    let tokens: GrantTokens
    let limits: Limits
    private let listener: (any KeyEventListener)?
    let logger: Logger
    private let board: CacheBoard
    private let caches: KeyCaches

    package var region: String { identity.region }

    package init(
        pool: PostgresPool, accounts: AccountsStore, trail: AuditTrail, vault: Vault, identity: ServiceIdentity,
        listener: (any KeyEventListener)? = nil, limits: Limits = Limits(), board: CacheBoard = CacheBoard(),
        logger: Logger
    ) throws {
        self.pool = pool
        self.accounts = accounts
        self.trail = trail
        self.vault = vault
        self.identity = identity
        self.listener = listener
        self.limits = limits
        self.logger = logger
        self.board = board
        caches = KeyCaches(board: board)
        tokens = try GrantTokens(vault: vault)
    }

    /// Runs a change. Its records are the last statements of its transaction; a refusal leaves a record of its own.
    ///
    /// `body` may run again after a conflict with another transaction: it has no effect outside the database.
    func change<R: Sendable>(
        _ call: KeyCall, _ body: (PostgresConnection) async throws -> R
    ) async throws(KeyError) -> R {
        do {
            let result = try await pool.retryingSerialization { connection in
                call.restart()
                let result = try await body(connection)
                try await trail.append(call.records(), on: connection)
                return result
            }
            for key in call.keyARNs { board.changed(.key(key.resourceName)) }
            return result
        } catch {
            throw await refused(call, error)
        }
    }

    /// Runs a read or a use of a key. Its records are durable before the result is given away; a refusal leaves one too.
    func read<R: Sendable>(
        _ call: KeyCall, _ body: (PostgresConnection) async throws -> R
    ) async throws(KeyError) -> R {
        do {
            let result = try await pool.transaction(body)
            try await trail.record(call.records())
            return result
        } catch {
            throw await refused(call, error)
        }
    }

    /// Runs a use of a key as `read`, from the caches where they may be believed: then without a transaction, since the one that writes the
    /// records proves what was read.
    func use<R: Sendable>(
        _ call: KeyCall, _ body: (any KeyReading) async throws -> R
    ) async throws(KeyError) -> R {
        guard Reliance.current != nil, board.isTrusted else {
            return try await read(call) { try await body(reading(on: $0)) }
        }
        do {
            let result = try await body(
                CachedReading(caches: caches, pool: pool, accounts: accounts, vault: vault, region: region))
            try await trail.record(call.records())
            return result
        } catch {
            throw await refused(call, error)
        }
    }

    /// Records that a request broke a rule of the API before the service saw it.
    package func refuse(_ call: KeyCall, _ error: KeyError) async -> KeyError {
        await refused(call, error)
    }

    /// Records that somebody asked for an operation that there is not; gives the error to answer.
    package func refuse(_ record: CloudTrailRecord, _ error: KeyError) async -> KeyError {
        var record = record
        record.errorCode = error.code.trailName
        record.errorMessage = error.message
        return await recorded([record], error)
    }

    func log(_ message: String, _ cause: any Error) {
        logger.error("\(message)", metadata: ["cause": "\(cause)"])
    }

    func announce(_ event: KeyEvent) async {
        board.changed(.key(event.key.resourceName))
        await listener?.keyChanged(event)
    }

    /// The error to answer. A refusal that cannot be recorded is answered as a fault: no durable record, no answer.
    private func refused(_ call: KeyCall, _ error: any Error) async -> KeyError {
        guard let refusal = error as? KeyError, refusal.code != .internal else {
            let cause = (error as? KeyError)?.cause ?? error
            // The edge decides anew; nothing has gone wrong.
            let isOutdated = (cause as? AuditError)?.code == .outdated
            logger.log(
                level: isOutdated ? .debug : .error,
                "key operation failed", metadata: ["operation": "\(call.operation.rawValue)", "cause": "\(cause)"])
            return error as? KeyError
                ?? .internal("The request could not be processed because of an internal error.", cause: error)
        }
        return await recorded(call.records(failure: refusal), refusal)
    }

    private func recorded(_ records: [CloudTrailRecord], _ refusal: KeyError) async -> KeyError {
        do {
            try await trail.record(records)
            return refusal
        } catch {
            logger.error("a refusal could not be recorded", metadata: ["cause": "\(error)"])
            return .internal("The request could not be processed because of an internal error.", cause: error)
        }
    }
}
