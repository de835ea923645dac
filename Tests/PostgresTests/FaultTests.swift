import Logging
import Postgres
import PostgresTesting
import Secrets
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable))
struct FaultTests {
    private func processID(_ connection: PostgresConnection) async throws -> Int {
        try await connection.query("SELECT pg_backend_pid()")[0].get(0)
    }

    private func terminate(_ process: Int, on pool: PostgresPool) async throws {
        try await pool.query("SELECT pg_terminate_backend(\(process)::int, 5000)")
    }

    @Test func sessionKilledWhileIdleIsReplacedUnseen() async throws {
        try await TestDatabase.withDatabase(migrations: nil) { database in
            let pool = database.anotherPool { $0.maximumConnections = 2 }
            defer { pool.close() }
            let process = try await pool.withConnection { try await processID($0) }
            try await terminate(process, on: database.pool)
            for _ in 0..<3 { #expect(try await pool.query("SELECT 1").count == 1) }
        }
    }

    @Test func sessionKilledInUseLosesThatStatementOnly() async throws {
        try await TestDatabase.withDatabase(migrations: nil) { database in
            let pool = database.anotherPool { $0.maximumConnections = 1 }
            defer { pool.close() }
            try await pool.withConnection { connection in
                let process = try await processID(connection)
                async let sleeping = connection.query("SELECT pg_sleep(60)")
                try await eventually("the statement to run") {
                    try await !database.pool.query(
                        "SELECT FROM pg_stat_activity WHERE pid = \(process) AND state = 'active'"
                    ).isEmpty
                }
                try await terminate(process, on: database.pool)
                do {
                    _ = try await sleeping
                    Issue.record("The statement cannot have ended.")
                } catch let error as PostgresError {
                    #expect(error.code == .connectionLost)
                    #expect(error.sqlState == "57P01")
                    #expect(error.isRetriable && error.mayHaveTakenEffect)
                }
                await #expect { try await connection.query("SELECT 1") } throws: { code(of: $0) == .connectionLost }
            }
            #expect(try await pool.query("SELECT 1").count == 1)
        }
    }

    @Test func sessionKilledInsideATransactionRollsBackWithoutDoubt() async throws {
        try await TestDatabase.withDatabase(migrations: nil) { database in
            try await database.pool.execute("CREATE TABLE t (id int)")
            await #expect {
                try await database.pool.transaction { connection in
                    try await connection.execute("INSERT INTO t VALUES (1)")
                    try await terminate(try await processID(connection), on: database.pool)
                    try await connection.execute("INSERT INTO t VALUES (2)")
                }
            } throws: { error in
                let error = error as? PostgresError
                return error?.code == .connectionLost && error?.mayHaveTakenEffect == false
            }
            #expect(try await database.pool.query("SELECT FROM t").isEmpty)
        }
    }

    @Test func serverThatNeverAnswersIsGivenUp() async throws {
        let server = try SilentServer()
        var configuration = server.configuration
        configuration.password = Redacted("canary-password")
        configuration.connectTimeout = .milliseconds(100)
        configuration.acquireTimeout = .seconds(5)
        let pool = PostgresPool(configuration: configuration, logger: TestDatabase.logger)
        defer { pool.close() }
        await #expect {
            try await pool.query("SELECT 1")
        } throws: { error in
            #expect(!String(reflecting: error).contains("canary"))
            return code(of: error) == .connectionFailed && (error as? PostgresError)?.isRetriable == true
        }
        #expect(!"\(configuration)".contains("canary"))
    }

    @Test func serverThatRefusesIsNotHammered() async throws {
        let server = try SilentServer()
        var configuration = server.configuration
        configuration.connectTimeout = .milliseconds(50)
        configuration.acquireTimeout = .seconds(5)
        let counter = CountingLogHandler.Counter()
        let pool = PostgresPool(
            configuration: configuration, logger: Logger(label: "count") { _ in CountingLogHandler(counter: counter) })
        defer { pool.close() }
        await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
        // Delays of 25–50, 50–100, 100–200, … ms and attempts of 50 ms leave room for a handful, and for fewer on a busy machine.
        #expect((1...9).contains(counter.value))
    }

    @Test func serverThatFallsSilentIsGivenUpAtTheDeadline() async throws {
        let server = try ScriptedServer()
        let pool = server.pool(statementTimeout: .milliseconds(50))
        defer { pool.close() }
        await #expect {
            try await pool.query("SELECT 1")
        } throws: { error in
            let error = error as? PostgresError
            return error?.code == .timeout && error?.sqlState == nil && error?.mayHaveTakenEffect == true
        }
    }

    @Test(arguments: [true, false])
    func commitThatIsNeverAnsweredIsInDoubt(hangsUp: Bool) async throws {
        let server = try ScriptedServer(hangsUpAtCommit: hangsUp)
        let pool = server.pool(statementTimeout: .seconds(1))
        defer { pool.close() }
        await #expect {
            try await pool.transaction(first: []) { _ in ["SELECT 1"] }
        } throws: { error in
            let error = error as? PostgresError
            return error?.code == .commitInDoubt && error?.mayHaveTakenEffect == true && error?.isRetriable == false
        }
    }

    @Test func badConnectionStringIsRefusedWithoutRepeatingIt() async throws {
        let pool = PostgresPool(
            configuration: PostgresConfiguration(connection: "host=x canary-password"), logger: TestDatabase.logger)
        defer { pool.close() }
        await #expect {
            try await pool.query("SELECT 1")
        } throws: { !String(reflecting: $0).contains("canary") && code(of: $0) == .configuration }
    }
}
