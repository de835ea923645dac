import ArgumentParser
import AuditTrail
import CoreFoundation
import Foundation
import Glibc
import Logging
import Postgres

/// `forecastle doctor`: what is in effect and what is wrong.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the settings in effect, where each comes from, and what is wrong.",
        discussion: "Exits with 1 when something is wrong. Secret values are never printed.")

    @OptionGroup var options: ConfigurationOptions

    @Flag(name: .long, help: "Print config/forecastle.yaml with every default and stop.")
    var defaults = false

    func run() async throws {
        if defaults {
            print(DefaultConfiguration.text, terminator: "")
            return
        }
        let values = try options.load()
        print("settings")
        for key in ConfigurationKey.all {
            guard let (value, origin) = values.values[key.name] else { continue }
            let shown = key.isSecret && !value.isEmpty ? "<redacted>" : value.isEmpty ? "–" : value
            print("  \(Self.column(key.name)) \(shown)  (\(origin.rawValue))")
        }
        print("keys")
        for (name, finding) in KeysReport.lines(values) {
            print("  \(Self.column(name)) \(finding)")
        }
        print("secrets in memory")
        for (name, finding) in SecretsReport.lines() {
            print("  \(Self.column(name)) \(finding)")
        }
        let tls = await TLSReport.make(values)
        print("tls")
        for (name, finding) in tls.lines {
            print("  \(Self.column(name)) \(finding)")
        }
        let vault = await VaultReport.make(values)
        print("vault")
        if vault.lines.isEmpty { print("  not configured") }
        for (name, finding) in vault.lines {
            print("  \(Self.column(name)) \(finding)")
        }
        print("audit trail")
        let audit = await AuditState.read(values)
        for (name, finding) in audit.lines {
            print("  \(Self.column(name)) \(finding)")
        }
        let stores = await StoresReport.make(values)
        print("stores")
        for (name, finding) in stores.lines {
            print("  \(Self.column(name)) \(finding)")
        }
        var problems =
            Self.fileProblems(values) + SecretsReport.problems(values) + KeysReport.problems(values) + tls.problems
            + vault.problems
        problems += await Self.databaseProblems(values) + audit.problems + stores.problems
        print("problems")
        if problems.isEmpty { print("  none") }
        for problem in problems { print("  \(problem)") }
        if !problems.isEmpty { throw ExitCode.failure }
    }

    /// As wide as the longest setting.
    private static let width = ConfigurationKey.all.map(\.name.count).max() ?? 30

    private static func column(_ name: String) -> String { name + String(repeating: " ", count: max(0, width - name.count)) }

    /// Files with secrets must be there and for their owner alone; folders must be there.
    private static func fileProblems(_ values: ConfigurationValues) -> [String] {
        var problems: [String] = []
        var files = [
            "api.credentials_file", "api.signing_key_file", "audit.signing_key_file", "aws.credentials_file",
            "artifacts.s3.credentials_file", "buckets.s3.credentials_file", "worker.credentials_file",
        ]
        // Only version 1 is called so; of mounted secrets others than the owner may read.
        if VaultSettings.source(values) == .kms { files.append("authority.root_key_kms_credentials_file") }
        if VaultSettings.source(values) == .file, FileManager.default.fileExists(atPath: values.string("authority.root_key_file"))
        {
            files.append("authority.root_key_file")
        }
        for name in files {
            let path = values.string(name)
            guard !path.isEmpty else { continue }
            var status = stat()
            if stat(path, &status) != 0 {
                problems.append("\(name): \(path) is missing")
            } else if status.st_mode & 0o077 != 0 {
                problems.append("\(name): \(path) can be read by others; chmod 600 it")
            }
        }
        for name in ["artifacts.directory", "audit.heads_directory", "buckets.directory"] {
            let path = values.string(name)
            guard !path.isEmpty else { continue }
            var isDirectory: ObjCBool = false
            if !FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) || !isDirectory.boolValue {
                problems.append("\(name): \(path) is no directory")
            }
        }
        return problems
    }

    private static func pool(_ values: ConfigurationValues, _ key: String) throws -> PostgresPool {
        PostgresPool(
            configuration: try values.postgres(key, applicationName: "forecastle doctor"),
            logger: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() })
    }

    /// What serves with the owner's rights can undo everything that the database itself refuses.
    private static func ownerProblems(_ values: ConfigurationValues, _ set: Migrations.Set) async throws -> [String] {
        let name = values.connectionKey(set, for: .process)
        guard !values.string(name).isEmpty else { return [] }
        let pool = try pool(values, name)
        defer { pool.close() }
        guard try await DatabaseRoles.isOwner(on: pool) else { return [] }
        return ["\(name): is the database's owner, who may do anything there; give each process its own role"]
    }

    private static func databaseProblems(_ values: ConfigurationValues) async -> [String] {
        var problems: [String] = []
        for set in Migrations.Set.allCases {
            let name = values.connectionKey(set, for: .reader)
            guard !values.string(name).isEmpty else { continue }
            do {
                let pool = try pool(values, name)
                defer { pool.close() }
                problems += try await ownerProblems(values, set)
                let migrations = Migrations(directory: try MigrationsFolder.find(values), set: set)
                try await migrations.verify(on: pool)
                guard !values.flag("postgres.allow_unsafe") else { continue }
                for setting in try await AuditTrail.unsafeSettings(pool: pool) {
                    problems.append(
                        "\(name): the server runs with \(setting) off; a crash can lose what was answered"
                            + (set == .authority ? ", and the authority refuses to start" : ""))
                }
            } catch {
                problems.append("\(name): \(error)")
            }
        }
        return problems
    }
}
