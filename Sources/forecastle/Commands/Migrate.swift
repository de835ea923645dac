import ArgumentParser
import Foundation
import Logging
import Postgres

/// `forecastle migrate up|status|verify`
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the databases to this version's schema, or say where they stand.",
        subcommands: [UpToDate.self, Status.self, Verify.self, Roles.self])

    /// A database and the connection string that reaches it.
    struct Target {
        var set: Migrations.Set
        var migrations: Migrations
        var roles: DatabaseRoles
        var pool: PostgresPool
    }

    struct Options: ParsableArguments {
        @OptionGroup var configuration: ConfigurationOptions

        @Option(help: "jobs or authority; both where not given.")
        var database: String?

        func targets() throws -> [Target] {
            let values = try configuration.load()
            let folder = try MigrationsFolder.find(values)
            let sets = try database.map { name in
                guard let set = Migrations.Set(rawValue: name) else {
                    throw ValidationError("--database must be jobs or authority")
                }
                return [set]
            }
            return try (sets ?? Migrations.Set.allCases).map { set in
                Target(
                    set: set, migrations: Migrations(directory: folder, set: set),
                    roles: DatabaseRoles(directory: folder, set: set),
                    pool: PostgresPool(
                        configuration: try values.postgres(
                            values.connectionKey(set, for: .owner), applicationName: "forecastle migrate"),
                        logger: Logger(label: "migrate")))
            }
        }
    }

    struct UpToDate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "up", abstract: "Apply what is missing, and give each role its rights.",
            discussion: "Connects as the owner: jobs.postgres_owner, authority.postgres_owner.")
        @OptionGroup var options: Options

        @Flag(help: "One role does everything: there are none to give rights to.")
        var withoutRoles = false

        func run() async throws {
            for target in try options.targets() {
                defer { target.pool.close() }
                let applied = try await target.migrations.up(on: target.pool)
                print(
                    "\(target.set.rawValue): \(applied.isEmpty ? "up to date" : "applied \(applied.map(\.name).joined(separator: ", "))")"
                )
                guard !withoutRoles else { continue }
                let changed = try await target.roles.grant(on: target.pool)
                print("\(target.set.rawValue): rights of roles \(changed ? "applied" : "up to date")")
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what is applied and what is missing.")
        @OptionGroup var options: Options

        func run() async throws {
            for target in try options.targets() {
                defer { target.pool.close() }
                let plan = try await target.migrations.status(on: target.pool)
                print("\(target.set.rawValue):")
                for row in plan.applied { print("  applied  \(row.number) \(row.name)  \(row.appliedAt.ISO8601Format())") }
                for file in plan.pending { print("  missing  \(file.fileName)") }
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fail unless the databases are exactly at this version's schema, and their roles have its rights.")
        @OptionGroup var options: Options

        @Flag(help: "One role does everything: there are none to look at.")
        var withoutRoles = false

        func run() async throws {
            for target in try options.targets() {
                defer { target.pool.close() }
                try await target.migrations.verify(on: target.pool)
                if !withoutRoles { try await target.roles.verify(on: target.pool) }
                print("\(target.set.rawValue): as it should be")
            }
        }
    }
}
