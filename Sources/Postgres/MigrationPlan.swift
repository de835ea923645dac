package import FoundationEssentials

/// What the database says was applied.
package struct AppliedMigration: Sendable, Equatable {
    package let number: Int
    package let name: String
    package let checksum: String
    package let appliedAt: Date

    package init(number: Int, name: String, checksum: String, appliedAt: Date) {
        self.number = number
        self.name = name
        self.checksum = checksum
        self.appliedAt = appliedAt
    }
}

/// Files and database side by side. Pure.
package struct MigrationPlan: Sendable, Equatable {
    package let applied: [AppliedMigration]
    /// Files that the database has not seen, in the order of their application.
    package let pending: [MigrationFile]

    /// Throws `.migration`, naming the file and what is wrong with it: changed after it was applied, gone, renamed, or numbered
    /// below one that was applied.
    package init(files: [MigrationFile], applied: [AppliedMigration]) throws {
        let applied = applied.sorted { $0.number < $1.number }
        for (row, expected) in zip(applied, 1...) {
            let fileName = MigrationFile.fileName(number: row.number, name: row.name)
            guard row.number == expected else {
                throw MigrationFile.fault("\(fileName): the database has applied it, but not number \(expected) before it.")
            }
            guard let file = files.first(where: { $0.number == row.number }) else {
                throw MigrationFile.fault("\(fileName): the database has applied it, but the file is missing.")
            }
            guard file.name == row.name else {
                throw MigrationFile.fault("\(file.fileName): the database has applied \(fileName) under this number.")
            }
            guard file.checksum == row.checksum else {
                throw MigrationFile.fault("\(fileName): was changed after it was applied (SHA-256 differs).")
            }
        }
        self.applied = applied
        pending = files.filter { $0.number > applied.count }
    }
}
