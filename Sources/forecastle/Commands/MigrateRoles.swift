import ArgumentParser
import Foundation
import Logging
import Postgres

extension Migrate {
    /// `forecastle migrate roles`: the one thing that needs a server's administrator.
    struct Roles: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the databases, their owners and a role a process where they are missing.",
            discussion: """
                Connects with postgres.administrator, once per installation, and again when a password is to change. \
                migrate up then says, as the owner, what each role may do: migrations/roles has it. Passwords are never sent \
                to the server, only what it checks them with.
                """)
        @OptionGroup var options: ConfigurationOptions

        @Option(help: "jobs or authority; both where not given.")
        var database: String?

        @Option(
            help: ArgumentHelp(
                "Folder with a file for each role that logs in with a password, named as the role.", valueName: "folder"))
        var passwords: String?

        func run() async throws {
            let values = try options.load()
            let sets = try database.map { name in
                guard let set = Migrations.Set(rawValue: name) else {
                    throw ValidationError("--database must be jobs or authority")
                }
                return [set]
            }
            let pool = PostgresPool(
                configuration: .init(
                    connection: try values.required("postgres.administrator"), applicationName: "forecastle migrate"),
                logger: Logger(label: "migrate"))
            defer { pool.close() }
            try await CommandFailure.reporting {
                for set in sets ?? Migrations.Set.allCases {
                    try await DatabaseRoles.create(set, on: pool, password: password)
                    print("\(set.rawValue): database and roles are there")
                }
            }
        }

        /// The file of a role, its line end left out; nil where there is none.
        private func password(of role: String) throws -> ScramVerifier? {
            guard let passwords else { return nil }
            let file = "\(passwords)/\(role)"
            guard FileManager.default.fileExists(atPath: file) else { return nil }
            guard var bytes = FileManager.default.contents(atPath: file) else {
                throw CommandFailure("\(file) cannot be read.", .failure)
            }
            defer { bytes.resetBytes(in: bytes.indices) }
            while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
            do {
                return try ScramVerifier(password: bytes)
            } catch let error as PostgresError {
                throw CommandFailure("\(file): \(error.message)", .failure)
            }
        }
    }
}
