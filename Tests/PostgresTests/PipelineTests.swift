import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable))
struct PipelineTests {
    @Test func answersComeInOrderAlsoWhenPreparedOnTheWay() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            for round in 0..<3 {
                let answers = try await pool.withConnection { connection in
                    try await connection.pipeline((0..<100).map { "SELECT \(round * 1000 + $0) AS n" })
                }
                #expect(try answers.map { try $0[0].get("n", as: Int.self) } == (0..<100).map { round * 1000 + $0 })
            }
            let none = try await pool.withConnection { try await $0.pipeline([]) }
            #expect(none.isEmpty)
        }
    }

    @Test func errorUndoesTheWholeBatchAndTheSessionGoesOn() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            try await pool.execute("CREATE TABLE t (id int PRIMARY KEY)")
            try await pool.withConnection { connection in
                for _ in 0..<3 {
                    await #expect {
                        try await connection.pipeline([
                            "INSERT INTO t VALUES (\(1))", "INSERT INTO t VALUES (\(2))", "INSERT INTO t VALUES (\(1))",
                            "INSERT INTO t VALUES (\(3))",
                        ])
                    } throws: { ($0 as? PostgresError)?.isUniqueViolation == true }
                    #expect(connection.isReusable)
                }
                let rows = try await connection.query("SELECT FROM t")
                #expect(rows.isEmpty)
                #expect(try await connection.executePipeline(["INSERT INTO t VALUES (\(7))", "DELETE FROM t"]) == [1, 1])
            }
        }
    }

    @Test func insideATransactionItIsPartOfIt() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            try await pool.execute("CREATE TABLE t (id int PRIMARY KEY)")
            try await pool.transaction { connection in
                _ = try await connection.pipeline((0..<10).map { "INSERT INTO t VALUES (\($0))" })
            }
            struct Stop: Error {}
            await #expect(throws: Stop.self) {
                try await pool.transaction { connection in
                    _ = try await connection.pipeline((10..<20).map { "INSERT INTO t VALUES (\($0))" })
                    throw Stop()
                }
            }
            #expect(try await pool.query("SELECT count(*) FROM t")[0].get(0, as: Int.self) == 10)
        }
    }

    @Test func moreThanTheSocketHoldsDoesNotStall() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            let block = String(repeating: "x", count: 200_000)
            let answers = try await pool.withConnection { connection in
                try await connection.pipeline((0..<40).map { _ in "SELECT \(block)::text AS s" })
            }
            #expect(try answers.allSatisfy { try $0[0].get("s", as: String.self).utf8.count == 200_000 })
        }
    }

    @Test(arguments: [(4095, true), (4096, true), (4097, false)])
    func statementsBeyondTheBoundAreRefused(count: Int, fits: Bool) async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            let batch = (0..<count).map { _ in "SELECT" as PostgresQuery }
            let answers = try? await pool.withConnection { try await $0.pipeline(batch).count }
            #expect(answers == (fits ? count : nil))
        }
    }
}
