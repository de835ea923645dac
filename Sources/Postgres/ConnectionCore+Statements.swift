import CLibpq

extension ConnectionCore {
    /// Runs one statement with its parameters.
    func run(_ query: PostgresQuery, interruptible: Bool = true, timeout: Duration? = nil) throws -> PostgresResult {
        if pendingTransaction != nil, timeout == nil {
            guard let result = try pipeline([query], interruptible: interruptible).last else { throw WaitFailure.broken }
            return result
        }
        try refuseNUL(in: query.sql)
        let parameters = try EncodedParameters(query.parameters)
        let key = StatementCache.Key(sql: query.sql, types: parameters.types)
        let isAutocommit = try openHandle().isIdle
        return try exchange(interruptible: interruptible, timeout: timeout) { handle, exchange in
            let plan = statements.plan(for: key)
            do {
                return try run(query.sql, parameters, plan: plan, key: key, handle, exchange)
            } catch let error as PostgresError where error.outdatesStatement && plan != .unprepared {
                statements.forget(key, isKnownToServer: error.sqlState != SQLState.invalidStatementName.rawValue)
                // Refused before it was executed; inside a transaction the refusal has already aborted that.
                guard isAutocommit, handle.isIdle else { throw error }
                return try run(query.sql, parameters, plan: .unprepared, key: key, handle, exchange)
            }
        }
    }

    private func run(
        _ sql: String, _ parameters: EncodedParameters, plan: StatementCache.Plan, key: StatementCache.Key,
        _ handle: LibpqHandle, _ exchange: Exchange
    ) throws -> PostgresResult {
        switch plan {
        case .unprepared:
            return try receive(handle.send(sql: sql, parameters), exchange)
        case .prepare(let name, let evicted):
            if let evicted { _ = try receive(handle.send(script: "DEALLOCATE \(evicted)"), exchange) }
            _ = try receive(handle.sendPrepare(name: name, sql: sql, types: parameters.types), exchange)
            statements.didPrepare(key, name: name)
            return try receive(handle.send(prepared: name, parameters), exchange)
        case .prepared(let name):
            return try receive(handle.send(prepared: name, parameters), exchange)
        }
    }

    /// Runs several statements without parameters, as one implicit transaction unless they begin one themselves.
    func run(script: String, interruptible: Bool = true, timeout: Duration? = nil) throws -> PostgresResult {
        try refuseNUL(in: script)
        if pendingTransaction != nil { _ = try runPipeline([], interruptible: interruptible) }
        return try exchange(interruptible: interruptible, timeout: timeout) { handle, exchange in
            try receive(handle.send(script: script), exchange)
        }
    }

    /// libpq reads a text up to the first NUL, and would run half a statement.
    func refuseNUL(in sql: String) throws {
        if sql.utf8.contains(0) { throw PostgresError(.encoding, message: "A statement contains a NUL character.") }
    }

    /// All results of what was sent: the first error, else the last result.
    private func receive(_ sent: Bool, _ exchange: Exchange) throws -> PostgresResult {
        guard sent else { throw WaitFailure.broken }
        try exchange.flush()
        var last: PostgresResult?
        var failure: (any Error)?
        while let result = try exchange.nextResult() {
            do { last = try checked(result) } catch {
                failure = failure ?? error
                // The session is gone or was dropped: nothing more comes.
                if handle == nil || result.endsSession { break }
            }
        }
        if let failure { throw failure }
        guard let last else { throw WaitFailure.broken }
        return last
    }
}

extension PostgresError {
    /// "cached plan must not change result type", or a prepared statement that the server no longer knows.
    var outdatesStatement: Bool {
        sqlState == SQLState.featureNotSupported.rawValue || sqlState == SQLState.invalidStatementName.rawValue
    }
}
