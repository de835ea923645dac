import FoundationEssentials
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable))
struct MigrationsTests {
    /// A folder of migrations of this test's own.
    private func withFolder(_ files: [String: String], _ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/migrations-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, sql) in files { try Data(sql.utf8).write(to: URL(filePath: folder + "/" + name)) }
        try await body(folder)
    }

    private let two = [
        "0001_fruit.sql": "CREATE TABLE fruit (name text PRIMARY KEY); INSERT INTO fruit VALUES ('pear; not \"plum\"');",
        "0002_colour.sql": "ALTER TABLE fruit ADD colour text;",
    ]

    @Test func upAppliesInOrderAndOnce() async throws {
        try await withFolder(two) { folder in
            try await TestDatabase.with(migrations: nil) { pool in
                let migrations = Migrations(folder: folder)
                await #expect(throws: PostgresError.self) { try await migrations.verify(on: pool) }
                #expect(try await migrations.up(on: pool).map(\.fileName) == ["0001_fruit.sql", "0002_colour.sql"])
                #expect(try await migrations.up(on: pool).isEmpty)
                try await migrations.verify(on: pool)
                let status = try await migrations.status(on: pool)
                #expect(status.applied.map(\.name) == ["fruit", "colour"])
                #expect(try await pool.query("SELECT name, colour FROM fruit").count == 1)
            }
        }
    }

    @Test func failingMigrationLeavesNothingOfItselfAndNamesItsFile() async throws {
        var files = two
        files["0003_bad.sql"] = "CREATE TABLE half (a int); SELECT nothing FROM nowhere;"
        try await withFolder(files) { folder in
            try await TestDatabase.with(migrations: nil) { pool in
                let migrations = Migrations(folder: folder)
                await #expect {
                    try await migrations.up(on: pool)
                } throws: { error in
                    "\(error)".contains("0003_bad.sql") && (error as? PostgresError)?.sqlState == "42P01"
                }
                let status = try await migrations.status(on: pool)
                #expect(status.applied.count == 2)
                #expect(try await pool.query("SELECT to_regclass('half') IS NULL")[0].get(0, as: Bool.self))
            }
        }
    }

    @Test func changedFileIsRefused() async throws {
        try await withFolder(two) { folder in
            try await TestDatabase.with(migrations: nil) { pool in
                try await Migrations(folder: folder).up(on: pool)
                try Data("CREATE TABLE other ();".utf8).write(to: URL(filePath: folder + "/0001_fruit.sql"))
                let complaint = "0001_fruit.sql: was changed"
                let changed = Migrations(folder: folder)
                await #expect { try await changed.up(on: pool) } throws: { "\($0)".contains(complaint) }
                await #expect { try await changed.verify(on: pool) } throws: { "\($0)".contains(complaint) }
            }
        }
    }

    @Test func twoMigratorsAtOnceShareTheWork() async throws {
        try await withFolder(two) { folder in
            try await TestDatabase.withDatabase(migrations: nil) { database in
                let pools = [database.pool, database.anotherPool(), database.anotherPool()]
                defer { pools.forEach { $0.close() } }
                let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                    for pool in pools { group.addTask { try await Migrations(folder: folder).up(on: pool).count } }
                    return try await group.reduce(0, +)
                }
                #expect(applied == 2)
            }
        }
    }

    @Test(arguments: Migrations.Set.allCases)
    func setsOfThisHouseApply(set: Migrations.Set) async throws {
        try await TestDatabase.with(migrations: set) { pool in
            let migrations = Migrations(directory: TestDatabase.migrationsDirectory, set: set)
            try await migrations.verify(on: pool)
            let tables = try await pool.query("SELECT FROM pg_tables WHERE schemaname = 'public'")
            #expect(tables.count > 1)
        }
    }
}
