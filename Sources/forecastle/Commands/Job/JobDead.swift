import AWSProtocol
import ArgumentParser
import Jobs

/// Which dead letters.
struct DeadLetterOptions: ParsableArguments {
    @Option(help: "Only of this kind: import, train, forecast, backtest-export, forecast-export.")
    var kind: String?

    @Option(help: "Only those that died of this: \(DeathReason.allCases.map(\.rawValue).joined(separator: ", ")).")
    var reason: String?

    @Option(help: "At most so many, 1 to \(JobQueries.listLimitMax).")
    var limit = 50

    func validate() throws {
        if let reason, DeathReason(rawValue: reason) == nil {
            throw ValidationError("--reason: \(reason) is nothing that a job dies of.")
        }
        guard (1...JobQueries.listLimitMax).contains(limit) else {
            throw ValidationError("--limit takes 1 to \(JobQueries.listLimitMax).")
        }
    }

    func letters(_ queries: JobQueries, all: Bool = false) async throws -> [JobQueries.DeadLetter] {
        try await queries.deadLetters(
            all: all, kind: kind.map { JobKind(rawValue: $0) }, reason: reason.flatMap { DeathReason(rawValue: $0) },
            limit: limit)
    }
}

/// `forecastle job dead`
struct JobDead: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead", abstract: "Show jobs that died of what an operator can mend.",
        discussion: """
            Jobs whose task cost too many workers their lease, whose retries were exhausted, or whose result could not be \
            published. The customer sees CREATE_FAILED. Once the cause is mended: job retry, job redrive. \(JobExit.discussion)
            """)

    @OptionGroup var options: JobOptions
    @OptionGroup var which: DeadLetterOptions

    @Flag(help: "Also those that were driven again.")
    var all = false

    func run() async throws {
        try await options.run { queries in
            let letters = try await which.letters(queries, all: all)
            if options.json { return print(JSONValue.lines(letters.map(\.json))) }
            var table = TextTable(
                .text("job"), .text("kind"), .text("died"), .text("reason"), .text("task"), .number("attempts"),
                .number("lost"), .text("worker"), .text("last error"), .text("resource"))
            for letter in letters {
                table.add(
                    String(letter.job.description.prefix(8)), letter.kind.rawValue, AWSTimestamp.extended(letter.diedAt),
                    letter.redrivenAt == nil ? letter.reason.rawValue : "\(letter.reason.rawValue), driven again",
                    "\(letter.role.rawValue) \(letter.ordinal)", "\(letter.attempts)", "\(letter.losses)",
                    letter.worker ?? "–", TerminalText.printable(letter.lastError ?? letter.message),
                    ARN(letter.resourceARN)?.resource ?? letter.resourceARN)
            }
            print(table.lines.joined(separator: "\n"))
        }
    }
}

extension JobQueries.DeadLetter {
    /// `{job, kind, account, resource, reason, message, role, ordinal, attempts, losses, failures, worker, lastError, diedAt,
    /// redrivenAt, redrivenBy}`
    var json: JSONObject {
        [
            "job": .string(job.description), "kind": .string(kind.rawValue), "account": .string(account),
            "resource": .string(resourceARN), "reason": .string(reason.rawValue), "message": .string(message),
            "role": .string(role.rawValue), "ordinal": .int(Int64(ordinal)), "attempts": .int(Int64(attempts)),
            "losses": .int(Int64(losses)), "failures": .int(Int64(failures)), "worker": .optional(worker),
            "lastError": .optional(lastError), "diedAt": .time(diedAt), "redrivenAt": .time(redrivenAt),
            "redrivenBy": .optional(redrivenBy),
        ]
    }
}
