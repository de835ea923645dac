import ArgumentParser
import Foundation
import Jobs
import Logging
import Postgres

/// Exit codes of the commands of `job`.
enum JobExit {
    static let failed = ExitCode(2)
    static let stopped = ExitCode(3)
    static let unknownJob = ExitCode(66)
    static let unavailable = ExitCode(69)
    static let refused = ExitCode(77)

    static let discussion = """
        Exit codes: 0 done; 2 the job failed (watch); 3 the job was stopped (watch); 64 wrong use; 66 there is no such job; \
        69 the database or the API did not answer; 77 the API refused; 1 anything else.
        """
}

/// What every command of `job` takes that reads the jobs database.
struct JobOptions: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOptions

    @Flag(help: "Write JSON.")
    var json = false

    func run(_ body: (JobQueries) async throws -> Void) async throws {
        try await run { queries, _, _ in try await body(queries) }
    }

    func run(_ body: (JobQueries, PostgresPool, ConfigurationValues) async throws -> Void) async throws {
        try await CommandFailure.reporting {
            let values = try configuration.load()
            do {
                try await JobsDatabase.with(values) { queries, pool in try await body(queries, pool, values) }
            } catch let error as PostgresError where error.isRetriable || error.code == .connectionFailed {
                throw CommandFailure(error.description, JobExit.unavailable)
            }
        }
    }
}

/// The jobs database, for the time of one command.
enum JobsDatabase {
    static func with<R>(_ values: ConfigurationValues, _ body: (JobQueries) async throws -> R) async throws -> R {
        try await with(values) { queries, _ in try await body(queries) }
    }

    static func with<R>(
        _ values: ConfigurationValues, _ body: (JobQueries, PostgresPool) async throws -> R
    ) async throws -> R {
        let pool = PostgresPool(
            configuration: try values.postgres("jobs.postgres", applicationName: "forecastle job"),
            logger: Logger(label: "job") { _ in SwiftLogNoOpLogHandler() })
        defer { pool.close() }
        return try await body(JobQueries(pool: pool), pool)
    }
}

/// A job as people name it: its id, the first digits of it, or the ARN of what it makes.
struct JobArgument: ParsableArguments {
    /// Shorter beginnings of an id are taken for a mistake.
    static let prefixCharactersMin = 4

    @Argument(help: "The job's id, the beginning of it, or the ARN of what it makes.")
    var job: String

    func find(_ queries: JobQueries) async throws -> JobQueries.Summary {
        if let id = JobID(job) {
            if let summary = try await queries.summary(id) { return summary }
        } else {
            // Among the newest: an older job is named by its whole id.
            let newest = try await queries.list(limit: JobQueries.listLimitMax)
            if job.hasPrefix("arn:") {
                if let summary = newest.first(where: { $0.job.resourceARN == job }) { return summary }
            } else if job.count >= Self.prefixCharactersMin {
                let found = newest.filter { $0.job.id.description.hasPrefix(job.lowercased()) }
                if found.count > 1 { throw ValidationError("\(job) is the beginning of several jobs' ids; give more of it.") }
                if let summary = found.first { return summary }
            }
        }
        throw CommandFailure("There is no job \(job).", JobExit.unknownJob)
    }
}
