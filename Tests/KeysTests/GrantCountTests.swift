import Accounts
import Keys
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct GrantCountTests {
    @Test func theCountFollowsTheGrants() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let other = try await house.createKey()
            var grants: [String] = []
            for _ in 0..<3 { grants.append(try await house.grant(admin, key, to: admin.arn).id) }
            _ = try await house.grant(admin, other, to: admin.arn)
            let counts = { @Sendable () async throws -> [Int64] in
                try await house.pool.query("SELECT grants::bigint AS n FROM key_grant_counts ORDER BY grants").map {
                    try $0.get("n")
                }
            }
            #expect(try await counts() == [1, 3])
            try await house.keys.revokeGrant(
                house.call(admin, .revokeGrant), key: key, grantID: grants[0], isDryRun: false)
            #expect(try await counts() == [1, 2])
            try await house.pool.execute("DELETE FROM key_grants")
            #expect(try await counts() == [0, 0])
            _ = try await house.grant(admin, key, to: admin.arn)
            try await house.pool.execute("TRUNCATE key_grants")
            #expect(try await counts() == [0, 0])
        }
    }
}
