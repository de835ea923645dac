import CLibpq

extension ConnectionCore {
    /// Statements in one pipeline; libpq holds all answers of a pipeline's unread part in memory.
    static let maximumPipelineStatements = 4096

    /// Sends all statements, then one sync, then reads the answers. Outside a transaction the batch is one: all or nothing.
    func pipeline(_ queries: [PostgresQuery], interruptible: Bool = true) throws -> [PostgresResult] {
        queries.isEmpty ? [] : try runPipeline(queries, interruptible: interruptible)
    }

    /// BEGIN where it is due, and the statements.
    func runPipeline(_ queries: [PostgresQuery], interruptible: Bool) throws -> [PostgresResult] {
        let begin = pendingBegin
        let queries = begin + queries
        guard queries.count <= Self.maximumPipelineStatements else {
            throw PostgresError(.encoding, message: "A pipeline has more than \(Self.maximumPipelineStatements) statements.")
        }
        for query in queries { try refuseNUL(in: query.sql) }
        // Encoded before anything is sent: a value that cannot be sent must not leave half a pipeline behind.
        let encoded = try queries.map { try EncodedParameters($0.parameters) }
        let results = try exchange(interruptible: interruptible, autocommit: begin.isEmpty) { handle, exchange in
            pendingTransaction = nil
            guard handle.enterPipeline() else { throw WaitFailure.broken }
            let steps = try send(zip(queries, encoded).map { ($0.sql, $1) }, handle, exchange)
            let outcome = try receive(steps, exchange)
            guard handle.exitPipeline() else { throw WaitFailure.broken }
            return try outcome.get()
        }
        return Array(results.dropFirst(begin.count))
    }

    /// What each expected answer belongs to.
    private enum Step {
        case preparation(StatementCache.Key, name: String)
        case statement(StatementCache.Key)
    }

    private func send(
        _ batch: [(sql: String, parameters: EncodedParameters)], _ handle: LibpqHandle, _ exchange: Exchange
    ) throws -> [Step] {
        var steps: [Step] = []
        // Prepared by this very pipeline; the cache learns of it when the server has confirmed.
        var preparing: [StatementCache.Key: String] = [:]
        for (sql, parameters) in batch {
            let key = StatementCache.Key(sql: sql, types: parameters.types)
            let plan: StatementCache.Plan = preparing[key].map { .prepared(name: $0) } ?? statements.plan(for: key)
            var sent = true
            switch plan {
            case .unprepared: sent = handle.send(sql: sql, parameters)
            case .prepared(let name): sent = handle.send(prepared: name, parameters)
            case .prepare(let name, let evicted):
                if let evicted {
                    sent = handle.send(sql: "DEALLOCATE \(evicted)", try EncodedParameters([]))
                    steps.append(.preparation(StatementCache.Key(sql: "", types: []), name: ""))
                }
                sent = sent && handle.sendPrepare(name: name, sql: sql, types: parameters.types)
                steps.append(.preparation(key, name: name))
                preparing[key] = name
                sent = sent && handle.send(prepared: name, parameters)
            }
            steps.append(.statement(key))
            guard sent else { throw WaitFailure.broken }
            // Not left to the end: the socket's buffer and libpq's stay small while answers are read in between.
            if handle.flush() == nil { throw WaitFailure.broken }
        }
        guard handle.sendSync() else { throw WaitFailure.broken }
        try exchange.flush()
        return steps
    }

    /// Answers in order, each ended by a nil; after an error the rest are "aborted"; last the sync, which is always due.
    private func receive(_ steps: [Step], _ exchange: Exchange) throws -> Result<[PostgresResult], any Error> {
        var results: [PostgresResult] = []
        var failure: (any Error)?
        for step in steps {
            guard let result = try exchange.nextResult() else { throw WaitFailure.broken }
            if result.status != PGRES_PIPELINE_ABORTED {
                do {
                    let result = try checked(result)
                    switch step {
                    case .preparation(let key, let name): statements.didPrepare(key, name: name)
                    case .statement: results.append(result)
                    }
                } catch let error as PostgresError where error.code == .server || error.code == .timeout {
                    if case .statement(let key) = step, error.outdatesStatement {
                        statements.forget(key, isKnownToServer: error.sqlState != SQLState.invalidStatementName.rawValue)
                    }
                    failure = failure ?? error
                }
            }
            guard try exchange.nextResult() == nil else { throw WaitFailure.broken }
        }
        guard let sync = try exchange.nextResult(), sync.status == PGRES_PIPELINE_SYNC else { throw WaitFailure.broken }
        return failure.map { .failure($0) } ?? .success(results)
    }
}
