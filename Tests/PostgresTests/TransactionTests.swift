import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable))
struct TransactionTests {
    private struct Stop: Error {}

    private func count(_ pool: PostgresPool) async throws -> Int {
        try await pool.query("SELECT count(*) FROM t")[0].get(0)
    }

    @Test func transactionCommitsOrLeavesNothing() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            try await pool.execute("CREATE TABLE t (id int PRIMARY KEY)")
            try await pool.transaction { try await $0.execute("INSERT INTO t VALUES (1)") }
            await #expect(throws: Stop.self) {
                try await pool.transaction { connection in
                    try await connection.execute("INSERT INTO t VALUES (2)")
                    throw Stop()
                }
            }
            await #expect(throws: PostgresError.self) {
                try await pool.transaction { connection in
                    try await connection.execute("INSERT INTO t VALUES (3)")
                    try await connection.execute("INSERT INTO t VALUES (1)")
                }
            }
            #expect(try await count(pool) == 1)
        }
    }

    @Test func swallowedErrorDoesNotPassForACommit() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            try await pool.execute("CREATE TABLE t (id int PRIMARY KEY)")
            await #expect {
                try await pool.transaction { connection in
                    try await connection.execute("INSERT INTO t VALUES (1)")
                    _ = try? await connection.execute("INSERT INTO t VALUES (1)")
                }
            } throws: { code(of: $0) == .transactionAborted }
            #expect(try await count(pool) == 0)
        }
    }

    @Test func cancelledTransactionRollsBack() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            try await pool.execute("CREATE TABLE t (id int PRIMARY KEY)")
            let (stream, entered) = AsyncStream<Void>.makeStream()
            let task = Task {
                try await pool.transaction { connection in
                    try await connection.execute("INSERT INTO t VALUES (1)")
                    entered.finish()
                    try await connection.execute("SELECT pg_sleep(60)")
                }
            }
            for await _ in stream {}
            task.cancel()
            await #expect(throws: (any Error).self) { try await task.value }
            #expect(try await count(pool) == 0)
        }
    }

    @Test func lostAnswerToCommitIsInDoubt() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            try await pool.execute("CREATE TABLE t (id int PRIMARY KEY)")
            // A deferred trigger runs inside COMMIT and ends the session there.
            try await pool.withConnection { connection in
                try await connection.execute(
                    """
                    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END $$
                    """)
                try await connection.execute(
                    """
                    CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION die()
                    """)
            }
            await #expect {
                try await pool.transaction { try await $0.execute("INSERT INTO t VALUES (1)") }
            } throws: { error in
                let error = error as? PostgresError
                return error?.code == .commitInDoubt && error?.isRetriable == false && error?.mayHaveTakenEffect == true
            }
            #expect(try await count(pool) == 0)
        }
    }

    @Test func stoppedProcessDoesNotKeepItsLocks() async throws {
        try await TestDatabase.withDatabase(migrations: nil) { database in
            let sleepy = database.anotherPool { $0.idleTransactionTimeout = .milliseconds(200) }
            defer { sleepy.close() }
            try await database.pool.execute("CREATE TABLE t (id int PRIMARY KEY)")
            try await database.pool.execute("INSERT INTO t VALUES (1)")
            await #expect {
                try await sleepy.transaction { connection in
                    try await connection.query("SELECT FROM t FOR UPDATE")
                    // Another session gets the row although this one never ends.
                    try await database.pool.execute("UPDATE t SET id = 2")
                }
            } throws: { error in
                let error = error as? PostgresError
                // Nothing is in doubt: the server said that it never saw a COMMIT.
                return error?.code == .connectionLost && error?.sqlState == "25P03"
            }
        }
    }

    @Test func deadlocksAreResolvedByRetrying() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            try await pool.execute("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)")
            try await pool.execute("INSERT INTO t SELECT generate_series(1, 2)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (first, second) in [(1, 2), (2, 1)] {
                    group.addTask {
                        try await pool.retryingSerialization(attempts: 20) { connection in
                            try await connection.execute("SET LOCAL deadlock_timeout = '10ms'")
                            try await connection.execute("UPDATE t SET n = n + 1 WHERE id = \(first)")
                            try await connection.execute("SELECT pg_sleep(0.05)")
                            try await connection.execute("UPDATE t SET n = n + 1 WHERE id = \(second)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await pool.query("SELECT n FROM t").map { try $0.get("n", as: Int.self) } == [2, 2])
        }
    }

    @Test func conflictThatStaysIsThrownAfterTheLastAttempt() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            var attempts = 0
            await #expect {
                try await pool.retryingSerialization(attempts: 3) { connection in
                    attempts += 1
                    try await connection.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
                }
            } throws: { ($0 as? PostgresError)?.isConflict == true }
            #expect(attempts == 3)
        }
    }

    @Test func sessionLeftInsideATransactionIsDropped() async throws {
        try await TestDatabase.withDatabase(migrations: nil) { database in
            let pool = database.anotherPool { $0.maximumConnections = 1 }
            defer { pool.close() }
            try await pool.withConnection { connection in
                try await connection.execute("BEGIN")
                try await connection.execute("CREATE TABLE left_open ()")
            }
            #expect(try await pool.query("SELECT to_regclass('left_open') IS NULL")[0].get(0, as: Bool.self))
        }
    }
}
