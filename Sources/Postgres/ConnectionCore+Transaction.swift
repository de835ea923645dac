/// How far a transaction is kept from others at work at the same time (PostgreSQL manual, "Transaction Isolation").
package enum PostgresIsolation: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

extension ConnectionCore {
    /// Begins a transaction together with its first statement: BEGIN has no round trip of its own.
    func begin(_ level: PostgresIsolation) throws {
        guard try openHandle().isIdle, pendingTransaction == nil else {
            throw PostgresError(.transactionAborted, message: "A transaction is open already.")
        }
        pendingTransaction = level
    }

    /// What has to be sent before the first statement of a transaction, for as long as the server has not heard it: what failed
    /// before it was sent must not leave the next statement outside the transaction.
    var pendingBegin: [PostgresQuery] {
        pendingTransaction.map { ["BEGIN ISOLATION LEVEL \(raw: $0.rawValue)"] } ?? []
    }

    /// The last statements and COMMIT in one round trip. The server passes COMMIT over where one of them fails; the error is thrown,
    /// and the transaction is still to be rolled back.
    func commit(after queries: [PostgresQuery]) throws {
        if queries.isEmpty { return try commit() }
        let isWhole = pendingTransaction != nil
        try commit(isWhole: isWhole) { try pipeline(queries + ["COMMIT"], interruptible: false).last }
    }

    /// Not interrupted by cancellation: its answer decides what the caller may believe.
    func commit() throws {
        // Nothing was asked in it: the server never heard of it.
        if pendingTransaction != nil { return pendingTransaction = nil }
        try commit { try run(script: "COMMIT", interruptible: false) }
    }

    private func commit(isWhole: Bool = false, _ send: () throws -> PostgresResult?) throws {
        guard try openHandle().isInTransaction || isWhole else {
            throw PostgresError(.transactionAborted, message: "The transaction was ended by a statement inside it.")
        }
        let result: PostgresResult?
        do {
            result = try send()
        } catch let error as PostgresError where error.code == .connectionLost || error.code == .timeout {
            // Two answers are certain. The statement was cancelled: rolled back. The session was ended while the transaction
            // lay idle: COMMIT was never read.
            if error.sqlState == SQLState.queryCanceled.rawValue || error.sqlState == SQLState.idleInTransactionTimeout.rawValue {
                throw error
            }
            close()
            var doubt = PostgresError(.commitInDoubt, message: "The answer to COMMIT was lost.", cause: error.description)
            doubt.sqlState = error.sqlState
            doubt.mayHaveTakenEffect = true
            throw doubt
        }
        // After a failed statement whose error the caller swallowed, COMMIT answers ROLLBACK and no error.
        guard result?.commandTag == "COMMIT" else {
            throw PostgresError(.transactionAborted, message: "A statement of the transaction had failed; it was rolled back.")
        }
    }

    /// Ends the transaction without effect. Where that cannot be done, the session is dropped, which does the same.
    func rollback() {
        pendingTransaction = nil
        guard let handle, !handle.isIdle else { return }
        do { _ = try run(script: "ROLLBACK", interruptible: false) } catch { close() }
    }
}
