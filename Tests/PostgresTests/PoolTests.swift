import Logging
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable))
struct PoolTests {
    @Test func statementsAnswerRowsAndCounts() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            try await pool.execute("CREATE TABLE t (id int PRIMARY KEY, name text)")
            for number in 0..<5 {
                #expect(try await pool.execute("INSERT INTO t VALUES (\(number), \("n\(number)"))") == 1)
            }
            #expect(try await pool.execute("UPDATE t SET name = 'x' WHERE id < \(3)") == 3)
            let names = try await pool.query("SELECT name FROM t ORDER BY id")
            #expect(try names.map { try $0.get("name", as: String.self) } == ["x", "x", "x", "n3", "n4"])
        }
    }

    @Test func serverErrorsCarryStateAndConstraintButNoValues() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            try await pool.execute("CREATE TABLE t (id text CONSTRAINT t_id_unique UNIQUE)")
            try await pool.execute("INSERT INTO t VALUES (\("canary-value"))")
            for _ in 0..<3 {
                await #expect {
                    try await pool.execute("INSERT INTO t VALUES (\("canary-value"))")
                } throws: { error in
                    let error = error as? PostgresError
                    #expect(error?.isUniqueViolation == true)
                    #expect(error?.constraintName == "t_id_unique")
                    #expect(error?.isRetriable == false)
                    #expect(!String(reflecting: error).contains("canary"))
                    return error?.code == .server
                }
            }
            await #expect {
                try await pool.query("SELECT \("canary-value")::int")
            } throws: { !String(reflecting: $0).contains("canary") && ($0 as? PostgresError)?.sqlState == "22P02" }
            await #expect {
                try await pool.query("SELECT canary FROM t")
            } throws: { !"\($0)".contains("canary") && ($0 as? PostgresError)?.sqlState == "42703" }
        }
    }

    @Test func tableThatChangesUnderAPreparedStatementIsNoError() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            try await pool.execute("CREATE TABLE t (a int)")
            try await pool.execute("INSERT INTO t VALUES (1)")
            for _ in 0..<3 { #expect(try await pool.query("SELECT * FROM t")[0].get("a", as: Int32.self) == 1) }
            try await pool.execute("ALTER TABLE t ADD b text DEFAULT 'b'")
            for _ in 0..<3 { #expect(try await pool.query("SELECT * FROM t")[0].get("b", as: String.self) == "b") }
        }
    }

    @Test func manyTasksShareFewConnections() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 1...200 {
                    group.addTask { try await pool.query("SELECT \(number) AS n")[0].get("n", as: Int.self) }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 20_100)
            let sessions = try await pool.query("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            #expect(try sessions[0].get(0, as: Int.self) <= pool.configuration.maximumConnections)
        }
    }

    @Test func exhaustedPoolRefusesInTimeAndRecovers() async throws {
        try await TestDatabase.withDatabase(migrations: nil) { database in
            let pool = database.anotherPool {
                $0.maximumConnections = 1
                $0.maximumWaiters = 1
            }
            defer { pool.close() }
            try await pool.withConnection { _ in
                let hasty = database.anotherPool()
                hasty.close()
                await #expect { try await hasty.query("SELECT 1") } throws: { code(of: $0) == .poolClosed }
                let waiting = Task { try await pool.query("SELECT 1") }
                try await eventually("one waiter in line") { pool.waiterCount == 1 }
                await #expect { try await pool.query("SELECT 1") } throws: { code(of: $0) == .poolExhausted }
                waiting.cancel()
            }
        }
    }

    @Test func waitingEndsAtTheAcquireTimeout() async throws {
        try await TestDatabase.withDatabase(migrations: nil) { database in
            let pool = database.anotherPool {
                $0.maximumConnections = 1
                $0.acquireTimeout = .seconds(10)
            }
            defer { pool.close() }
            try await pool.withConnection { _ in
                await #expect { try await pool.query("SELECT 1") } throws: { code(of: $0) == .poolExhausted }
            }
            #expect(try await pool.query("SELECT 1").count == 1)
        }
    }

    @Test func cancelledWaiterLeavesTheLine() async throws {
        try await TestDatabase.withDatabase(migrations: nil) { database in
            let pool = database.anotherPool { $0.maximumConnections = 1 }
            defer { pool.close() }
            try await pool.withConnection { _ in
                let waiting = Task { try await pool.query("SELECT 1") }
                try await eventually("one waiter in line") { pool.waiterCount == 1 }
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
                #expect(pool.waiterCount == 0)
            }
            #expect(try await pool.query("SELECT 1").count == 1)
        }
    }

    @Test func cancellationEndsARunningStatementHereAndOnTheServer() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            let sleeping = Task { try await pool.query("SELECT pg_sleep(600)") }
            // By what the server waits for: the text of a statement stays with its session after it ended, and this one's,
            // asked over one connection, would be found over the next.
            let running: PostgresQuery =
                "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
            try await eventually("the statement to run") { try await !pool.query(running).isEmpty }
            sleeping.cancel()
            await #expect { try await sleeping.value } throws: { code(of: $0) == .cancelled }
            try await eventually("the server to end it") { try await pool.query(running).isEmpty }
        }
    }

    @Test func configuredTimeoutsReachTheServer() async throws {
        try await TestDatabase.withDatabase(migrations: nil) { database in
            let pool = database.anotherPool { $0.statementTimeout = .seconds(2) }
            defer { pool.close() }
            await #expect {
                try await pool.query("SELECT pg_sleep(60)")
            } throws: { error in
                let error = error as? PostgresError
                return error?.code == .timeout && error?.sqlState == "57014" && error?.isRetriable == true
            }
            let zone = try await pool.query("SHOW TimeZone")[0].get(0, as: String.self)
            #expect(zone == "UTC")
        }
    }

    @Test func wrongDatabaseFailsAtOnceAndTellsTheState() async throws {
        try await TestDatabase.withDatabase(migrations: nil) { database in
            let pool = database.anotherPool { $0.database = "no_such_database" }
            defer { pool.close() }
            await #expect {
                try await pool.query("SELECT 1")
            } throws: { code(of: $0) == .connectionFailed && ($0 as? PostgresError)?.sqlState == "3D000" }
        }
    }
}
