import FoundationEssentials
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable))
struct QueryTests {
    @Test func queryAnswersRows() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            for _ in 0..<3 {
                let rows = try await pool.query("SELECT \(7) AS n, \("seven")::text AS s, \(nil as Int?) AS z")
                #expect(try rows[0].get("n", as: Int.self) == 7)
                #expect(try rows[0].get("s") == "seven")
                #expect(try rows[0].get("z", as: Int?.self) == nil)
            }
        }
    }
}
