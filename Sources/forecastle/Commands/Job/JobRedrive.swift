import AWSProtocol
import ArgumentParser
import Catalog
import Foundation
import Jobs
import Logging
import Postgres

/// Has failed jobs run again, with their resources: what the commands `job retry` and `job redrive` do.
struct Redrive: Sendable {
    let engine: JobsEngine
    let operatorName: String

    init(pool: PostgresPool, values: ConfigurationValues) throws {
        engine = JobsEngine(
            pool: pool, configuration: try JobsSettings.configuration(values),
            logger: Logger(label: "job") { _ in SwiftLogNoOpLogHandler() })
        operatorName = ProcessInfo.processInfo.environment["SUDO_USER"] ?? NSUserName()
    }

    /// The resource is CREATE_PENDING again in the same transaction; throws where it was deleted, made anew, or lost what it
    /// was made from. A relay of the cluster rings within its sweep.
    func run(_ id: JobID) async throws {
        do {
            try await engine.redrive(id, by: operatorName) { job, connection in
                guard let resource = try await Catalog.lock(job.resourceARN, on: connection),
                    resource.incarnation == job.incarnation, resource.job == job.id.rawValue
                else { throw JobError(.invalid, "What the job makes was deleted.") }
                if let parent = resource.parentARN, try await Catalog.lock(parent, on: connection) == nil {
                    throw JobError(.invalid, "What the job's resource is made from was deleted.")
                }
                let moved = try await Catalog.move(
                    job.resourceARN, incarnation: job.incarnation, from: [.createFailed], to: .createPending, on: connection)
                guard moved else {
                    throw JobError(.invalid, "What the job makes is \(resource.status.rawValue), not CREATE_FAILED.")
                }
            }
        } catch let error as JobError where error.code == .unknownJob {
            throw CommandFailure("There is no job \(id).", JobExit.unknownJob)
        } catch let error as JobError where error.code == .invalid {
            throw CommandFailure(error.message, JobExit.refused)
        }
    }
}

/// `forecastle job retry JOB`
struct JobRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Have a failed job run again from the beginning.",
        discussion: """
            The same job runs: its signed specification is the one that the API accepted, its resource is CREATE_PENDING \
            again. Grants, tasks and objects are made anew. Refused where the resource was deleted meanwhile, or a grant of \
            the job is still to be retired. \(JobExit.discussion)
            """)

    @OptionGroup var options: JobOptions
    @OptionGroup var argument: JobArgument

    func run() async throws {
        try await options.run { queries, pool, values in
            let id = try await argument.find(queries).job.id
            try await Redrive(pool: pool, values: values).run(id)
            print(options.json ? JSONObject([("retrying", .string(id.description))]).serializedString : "retrying \(id)")
        }
    }
}

/// `forecastle job redrive`
struct JobRedrive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redrive", abstract: "Have dead jobs run again, the newest first.",
        discussion: "As job retry for each that job dead shows. One that is refused is said and left. " + JobExit.discussion)

    @OptionGroup var options: JobOptions
    @OptionGroup var which: DeadLetterOptions

    func run() async throws {
        try await options.run { queries, pool, values in
            let redrive = try Redrive(pool: pool, values: values)
            var refused = 0
            for letter in try await which.letters(queries) {
                do {
                    try await redrive.run(letter.job)
                    print(
                        options.json
                            ? JSONObject([("retrying", .string(letter.job.description))]).serializedString
                            : "retrying \(letter.job)")
                } catch let failure as CommandFailure where failure.exitCode != JobExit.unavailable {
                    CommandFailure.warn("\(letter.job): \(failure.message)")
                    refused += 1
                }
            }
            if refused > 0 { throw CommandFailure("\(Amount.count(refused, "job")) could not run again.", JobExit.refused) }
        }
    }
}

/// `forecastle job priority JOB N`
struct JobPriority: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "priority", abstract: "Give a job another priority: 1 is first, 9 last, 5 what jobs have.",
        discussion: "Among jobs of one priority, free slots go to the account with the fewest tasks at work. "
            + JobExit.discussion)

    @OptionGroup var options: JobOptions
    @OptionGroup var argument: JobArgument

    @Argument(help: "1 to 9.")
    var priority: Int

    func validate() throws {
        guard TaskPriority.ofJobs.contains(priority) else { throw ValidationError("A priority is 1 to 9.") }
    }

    func run() async throws {
        try await options.run { queries, pool, values in
            let id = try await argument.find(queries).job.id
            let engine = JobsEngine(
                pool: pool, configuration: try JobsSettings.configuration(values),
                logger: Logger(label: "job") { _ in SwiftLogNoOpLogHandler() })
            guard try await engine.setPriority(TaskPriority(rawValue: priority), of: id) else {
                throw CommandFailure("The job \(id) has ended.", JobExit.refused)
            }
            print(
                options.json
                    ? JSONObject([("job", .string(id.description)), ("priority", .int(Int64(priority)))]).serializedString
                    : "priority \(priority) for \(id)")
        }
    }
}
