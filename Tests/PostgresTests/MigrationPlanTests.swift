import FoundationEssentials
import Postgres
import Testing

struct MigrationPlanTests {
    private func file(_ name: String, _ sql: String = "SELECT 1") throws -> MigrationFile {
        try MigrationFile(fileName: name, contents: [UInt8](sql.utf8))
    }

    private func row(_ file: MigrationFile) -> AppliedMigration {
        AppliedMigration(number: file.number, name: file.name, checksum: file.checksum, appliedAt: Date(timeIntervalSince1970: 0))
    }

    private func expectFault(_ message: String, _ body: () throws -> Void) {
        #expect(
            performing: body,
            throws: { error in
                let error = error as? PostgresError
                #expect(error?.message == message)
                return error?.code == .migration
            })
    }

    @Test func checksumIsSHA256OfTheBytes() throws {
        #expect(
            try file("0001_a.sql", "abc").checksum == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test(arguments: ["1_a.sql", "00001_a.sql", "0001_A.sql", "0001-a.sql", "0000_a.sql", "0001_.sql", "0001_a.sql.sql"])
    func badNamesAreRefused(name: String) {
        #expect(throws: PostgresError.self) { try file(name) }
    }

    @Test func gapsAndDoublesAreRefused() throws {
        let (one, two, three) = (try file("0001_a.sql"), try file("0002_b.sql"), try file("0003_c.sql"))
        #expect(try MigrationFile.ordered([three, one, two]) == [one, two, three])
        #expect(try MigrationFile.ordered([]).isEmpty)
        expectFault("0003_c.sql: number 2 is missing before it.") { _ = try MigrationFile.ordered([one, three]) }
        expectFault("0002_b.sql: number 1 is missing before it.") { _ = try MigrationFile.ordered([two]) }
        let again = try file("0001_b.sql")
        expectFault("0001_b.sql: its number is taken by another file.") { _ = try MigrationFile.ordered([one, again]) }
    }

    @Test func pendingIsWhatTheDatabaseHasNotSeen() throws {
        let files = [try file("0001_a.sql"), try file("0002_b.sql")]
        #expect(try MigrationPlan(files: files, applied: []).pending == files)
        #expect(try MigrationPlan(files: files, applied: [row(files[0])]).pending == [files[1]])
        #expect(try MigrationPlan(files: files, applied: files.map(row)).pending.isEmpty)
    }

    @Test func mismatchNamesTheFileAndWhatIsWrong() throws {
        let (one, two) = (try file("0001_a.sql"), try file("0002_b.sql"))
        expectFault("0001_a.sql: was changed after it was applied (SHA-256 differs).") {
            _ = try MigrationPlan(files: [try file("0001_a.sql", "other"), two], applied: [row(one)])
        }
        expectFault("0002_b.sql: the database has applied it, but the file is missing.") {
            _ = try MigrationPlan(files: [one], applied: [row(one), row(two)])
        }
        expectFault("0001_z.sql: the database has applied 0001_a.sql under this number.") {
            _ = try MigrationPlan(files: [try file("0001_z.sql")], applied: [row(one)])
        }
        expectFault("0002_b.sql: the database has applied it, but not number 1 before it.") {
            _ = try MigrationPlan(files: [one, two], applied: [row(two)])
        }
    }
}
