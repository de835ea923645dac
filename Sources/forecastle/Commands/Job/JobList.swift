import AWSProtocol
import ArgumentParser
import Jobs

/// `forecastle job list`
struct JobList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the newest jobs.")

    @OptionGroup var options: JobOptions

    @Option(help: "Only jobs in this state: \(JobState.allCases.map(\.rawValue).joined(separator: ", ")).")
    var state: String?

    private static let kinds = [JobKind.import, .train, .forecast, .backtestExport, .forecastExport].map(\.rawValue)

    @Option(help: "Only jobs of this kind: \(kinds.joined(separator: ", ")).")
    var kind: String?

    @Option(help: "Only jobs of this account.")
    var account: String?

    @Option(help: "At most so many, 1 to \(JobQueries.listLimitMax).")
    var limit = 50

    func validate() throws {
        if let state, JobState(rawValue: state) == nil { throw ValidationError("--state: \(state) is no state of a job.") }
        guard (1...JobQueries.listLimitMax).contains(limit) else {
            throw ValidationError("--limit takes 1 to \(JobQueries.listLimitMax).")
        }
        if let kind, !Self.kinds.contains(kind) {
            throw ValidationError("--kind: \(kind) is no kind of job: \(Self.kinds.joined(separator: ", ")).")
        }
        if let account, !ARN.isAccountID(account) { throw ValidationError("--account takes the 12 digits of an account.") }
    }

    func run() async throws {
        try await options.run { queries in
            let jobs = try await queries.list(
                state: state.flatMap { JobState(rawValue: $0) }, kind: kind.map { JobKind(rawValue: $0) }, account: account,
                limit: limit)
            if options.json { return print(JSONValue.lines(jobs.map(\.json))) }
            var table = TextTable(
                .text("job"), .text("kind"), .text("state"), .text("accepted"), .number("time"), .number("tasks"),
                .number("chunks"), .number("rows"), .number("bytes"), .number("grants"), .text("resource"))
            for job in jobs {
                table.add(
                    String(job.job.id.description.prefix(8)), job.job.kind.rawValue, job.job.state.rawValue,
                    AWSTimestamp.extended(job.job.acceptedAt), Amount.time(job.seconds()),
                    "\(job.finishedTasks)/\(job.job.totalTasks)", "\(job.chunks)", "\(job.rows)", Amount.bytes(job.bytes),
                    "\(job.grantsOpen)", ARN(job.job.resourceARN)?.resource ?? job.job.resourceARN)
            }
            print(table.lines.joined(separator: "\n"))
        }
    }
}
