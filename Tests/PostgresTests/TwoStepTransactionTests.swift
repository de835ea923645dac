import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct TwoStepTransactionTests {
    private struct Stop: Error {}

    private nonisolated(nonsending) func withTable(_ body: (PostgresPool) async throws -> Void) async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            try await pool.execute("CREATE TABLE t (n int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")
            try await pool.execute("INSERT INTO t VALUES (1)")
            try await body(pool)
        }
    }

    private func numbers(_ pool: PostgresPool) async throws -> [Int32] {
        try await pool.query("SELECT n FROM t ORDER BY n").map { try $0.get("n") }
    }

    @Test func theSecondStepSeesTheFirstAndBothCommit() async throws {
        try await withTable { pool in
            // Twice: the second time the statements are prepared.
            for _ in 0..<3 {
                try await pool.transaction(first: ["SELECT max(n) AS n FROM t"]) { rows in
                    let last: Int32 = try rows[0][0].get("n")
                    return ["INSERT INTO t VALUES (\(last + 1))"]
                }
            }
            try await pool.transaction(first: ["INSERT INTO t VALUES (9)"]) { _ in [] }
            #expect(try await numbers(pool) == [1, 2, 3, 4, 9])
        }
    }

    @Test func anErrorInEitherStepLeavesNothingAndTheSessionGoesOn() async throws {
        try await withTable { pool in
            await #expect(throws: PostgresError.self) {
                try await pool.transaction(first: ["INSERT INTO t VALUES (2)", "SELECT 1 / 0"]) { _ in [] }
            }
            await #expect(throws: Stop.self) {
                try await pool.transaction(first: ["INSERT INTO t VALUES (3)"]) { _ in throw Stop() }
            }
            await #expect(throws: PostgresError.self) {
                try await pool.transaction(first: []) { _ in ["INSERT INTO t VALUES (4)", "SELECT 1 / 0"] }
            }
            // The constraint is looked at by COMMIT itself.
            let error = await #expect(throws: PostgresError.self) {
                try await pool.transaction(first: []) { _ in ["INSERT INTO t VALUES (1)"] }
            }
            #expect(error?.isUniqueViolation == true)
            let left = try await numbers(pool)
            #expect(left == [1])
        }
    }

    @Test func theLastStatementsGoWithCommitAndAllOrNothingHolds() async throws {
        try await withTable { pool in
            try await pool.commitRetryingSerialization { _ in ["INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (3)"] }
            try await pool.commitRetryingSerialization { connection in
                try await connection.execute("DELETE FROM t WHERE n = 2")
                return []
            }
            await #expect(throws: PostgresError.self) {
                try await pool.commitRetryingSerialization { connection in
                    try await connection.execute("INSERT INTO t VALUES (4)")
                    return ["SELECT 1 / 0"]
                }
            }
            await #expect(throws: Stop.self) {
                try await pool.commitRetryingSerialization { connection in
                    try await connection.execute("INSERT INTO t VALUES (5)")
                    throw Stop()
                }
            }
            let left = try await numbers(pool)
            #expect(left == [1, 3])
        }
    }

    @Test func aStatementThatCouldNotBeSentDoesNotLeaveTheNextOutsideTheTransaction() async throws {
        try await withTable { pool in
            await #expect(throws: Stop.self) {
                try await pool.transaction { connection in
                    let refused = (try? await connection.execute("SELECT '\(raw: "\0")'")) == nil
                    #expect(refused)
                    try await connection.execute("INSERT INTO t VALUES (2)")
                    throw Stop()
                }
            }
            try await pool.transaction { _ in }
            let left = try await numbers(pool)
            #expect(left == [1])
        }
    }

    @Test func aStatementThatEndsTheTransactionIsFoundOut() async throws {
        try await withTable { pool in
            let error = await #expect(throws: PostgresError.self) {
                try await pool.transaction(first: ["ROLLBACK"]) { _ in ["INSERT INTO t VALUES (2)"] }
            }
            #expect(error?.code == .transactionAborted)
            let left = try await numbers(pool)
            #expect(left == [1])
        }
    }

    @Test func aSessionThatEndsAtCommitLeavesTheOutcomeInDoubt() async throws {
        try await withTable { pool in
            try await pool.execute(
                """
                CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END $$
                """)
            try await pool.execute(
                """
                CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION die()
                """)
            await #expect {
                try await pool.transaction(first: []) { _ in ["INSERT INTO t VALUES (2)"] }
            } throws: { error in
                let error = error as? PostgresError
                return error?.code == .commitInDoubt && error?.isRetriable == false && error?.mayHaveTakenEffect == true
            }
            let left = try await numbers(pool)
            #expect(left == [1])
        }
    }
}
