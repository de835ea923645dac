import AWSProtocol
import ArgumentParser
import AuditTrail
import Foundation
import Logging
import Postgres

/// Exit codes of the commands of `audit`.
enum AuditExit {
    /// Records, shards or exported heads were altered or are gone.
    static let altered = ExitCode(2)
    /// All that can be seen is in order, and there are no exported heads to compare it with.
    static let incomplete = ExitCode(3)
    static let unavailable = ExitCode(69)

    static let discussion = """
        Exit codes: 0 intact; 2 something was altered or removed; 3 intact as far as the database alone can tell, because there are \
        no exported heads; 64 wrong use; 69 the database did not answer; 1 anything else.
        """
}

/// What every command of `audit` takes.
struct AuditOptions: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOptions

    @Flag(help: "Write JSON.")
    var json = false

    /// Opens the authority's database for one command.
    func run(_ body: (ConfigurationValues, PostgresPool) async throws -> Void) async throws {
        try await CommandFailure.reporting {
            let values = try configuration.load()
            var settings = try values.postgres(
                values.connectionKey(.authority, for: .reader), applicationName: "forecastle audit")
            settings.statementTimeout = values.duration(milliseconds: "postgres.statement_timeout_ms")
            let pool = PostgresPool(configuration: settings, logger: Logger(label: "audit") { _ in SwiftLogNoOpLogHandler() })
            defer { pool.close() }
            do {
                try await body(values, pool)
            } catch let error as PostgresError where error.isRetriable || error.code == .connectionFailed {
                throw CommandFailure(error.description, AuditExit.unavailable)
            } catch let error as AuditError {
                throw CommandFailure(error.message, .failure)
            }
        }
    }

    /// The exported heads that the settings name; nil where they name none.
    static func evidence(_ values: ConfigurationValues) async throws -> HeadsEvidence? {
        let directory = values.string("audit.heads_directory")
        guard !directory.isEmpty else { return nil }
        let keys = values.list("audit.verifying_key_files")
        guard !keys.isEmpty else {
            throw ConfigurationError(
                key: "audit.verifying_key_files", rule: "must name the public keys of the heads in audit.heads_directory")
        }
        return try await HeadsReader.read(directory: directory, verifier: try KeyFiles.headVerifier(at: keys))
    }
}

/// An instant on the command line: `2026-11-23T13:28:26Z` or a day, `2026-11-23`, in UTC.
struct InstantArgument: ExpressibleByArgument {
    let date: Date

    init?(argument: String) {
        guard let date = AWSTimestamp.parseExtended(argument) ?? AWSTimestamp.parseExtended(argument + "T00:00:00Z") else {
            return nil
        }
        self.date = date
    }
}
