extension PostgresPool {
    /// Lends one session to `body`. Do not let it escape.
    @discardableResult
    nonisolated(nonsending) package func withConnection<R: Sendable>(
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        let lease = try await acquire()
        defer { release(lease) }
        return try await body(lease.connection)
    }

    /// One statement, in a transaction of its own.
    @discardableResult
    package func query(_ query: PostgresQuery) async throws -> [PostgresRow] {
        try await withConnection { try await $0.query(query) }
    }

    /// One statement, in a transaction of its own; answers how many rows it changed.
    @discardableResult
    package func execute(_ query: PostgresQuery) async throws -> Int {
        try await withConnection { try await $0.execute(query) }
    }

    /// All or nothing: commits when `body` returns, rolls back when it throws (also by cancellation).
    ///
    /// Throws `.commitInDoubt` when the answer to COMMIT was lost: read the database to learn what holds, never assume.
    @discardableResult
    nonisolated(nonsending) package func transaction<R: Sendable>(
        level: PostgresIsolation = .readCommitted, _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await withConnection { connection in
            try await connection.begin(level)
            let result: R
            do {
                result = try await body(connection)
            } catch {
                await connection.rollback()
                throw error
            }
            try await connection.commit()
            return result
        }
    }

    /// A transaction of two round trips: BEGIN with the statements of `first`, then, with COMMIT, those that `rest` makes of their rows.
    ///
    /// All or nothing as `transaction(level:_:)`, and throws as it does.
    nonisolated(nonsending) package func transaction(
        first: [PostgresQuery], rest: @Sendable ([[PostgresRow]]) throws -> [PostgresQuery]
    ) async throws {
        try await withConnection { connection in
            do {
                try await connection.begin(.readCommitted)
                let rows = try await connection.pipeline(first)
                try await connection.commit(after: try rest(rows))
            } catch {
                await connection.rollback()
                throw error
            }
        }
    }

    /// A transaction whose last statements `body` returns: they and COMMIT are one round trip, with BEGIN where `body` asked
    /// nothing. Run again after conflicts as `retryingSerialization` is; their row counts are not seen, so they have to be such
    /// as fail where they do not take effect whole.
    nonisolated(nonsending) package func commitRetryingSerialization(
        after body: (PostgresConnection) async throws -> [PostgresQuery]
    ) async throws {
        try await retryingConflicts(Self.defaultAttempts) {
            try await withConnection { connection in
                try await connection.begin(.readCommitted)
                do {
                    try await connection.commit(after: try await body(connection))
                } catch {
                    await connection.rollback()
                    throw error
                }
            }
        }
    }

    /// Transactions of one call to `retryingSerialization`.
    package static var defaultAttempts: Int { 5 }

    /// Runs a transaction again, after a jittered delay, when it lost against a concurrent one (40001, 40P01): the server has
    /// undone it then. `body` must have no effect outside the database. Other errors, and the last conflict, are thrown.
    @discardableResult
    nonisolated(nonsending) package func retryingSerialization<R: Sendable>(
        level: PostgresIsolation = .readCommitted, attempts: Int = defaultAttempts,
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await retryingConflicts(attempts) { try await transaction(level: level, body) }
    }

    nonisolated(nonsending) private func retryingConflicts<R: Sendable>(
        _ attempts: Int, _ transaction: () async throws -> R
    ) async throws -> R {
        var attempt = 1
        while true {
            do {
                return try await transaction()
            } catch let error as PostgresError where error.isConflict && attempt < attempts {
                try await Task.sleep(
                    for: Backoff.conflicting.delay(afterFailures: attempt, fraction: .random(in: 0..<1)))
                attempt += 1
            }
        }
    }
}
