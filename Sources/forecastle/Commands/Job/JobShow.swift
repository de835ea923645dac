import AWSProtocol
import ArgumentParser
import Foundation
import Jobs

/// `forecastle job show JOB`
struct JobShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a job with its tasks and its grants.", discussion: JobExit.discussion)

    @OptionGroup var options: JobOptions
    @OptionGroup var argument: JobArgument

    func run() async throws {
        try await options.run { queries in
            let id = try await argument.find(queries).job.id
            guard let detail = try await queries.show(id) else {
                throw CommandFailure("There is no job \(id).", JobExit.unknownJob)
            }
            print(options.json ? detail.json.serializedString : Self.text(detail).joined(separator: "\n"))
        }
    }

    private static func text(_ detail: JobQueries.Detail) -> [String] {
        let summary = detail.summary
        let job = summary.job
        var facts: [(String, String)] = [
            ("job", job.id.description), ("kind", job.kind.rawValue), ("resource", job.resourceARN),
            ("state", job.state.rawValue), ("priority", "\(job.priority)"), ("accepted", AWSTimestamp.extended(job.acceptedAt)),
            ("time", Amount.time(summary.seconds())),
            ("done", "\(Amount.count(summary.rows, "row")), \(Amount.count(summary.chunks, "chunk")), \(summary.amountOfBytes)"),
        ]
        if job.redrives > 0 { facts.append(("run again", Amount.count(job.redrives, "time"))) }
        if let rate = summary.rate() { facts.append(("rate", rate)) }
        if let message = job.message { facts.append(("message", message)) }
        if job.grantsLeft > 0 { facts.append(("grants left", "\(job.grantsLeft)")) }
        var lines = facts.map { "\($0.padding(toLength: 12, withPad: " ", startingAt: 0)) \($1)" }
        lines += ["", "tasks"] + tasks(detail).map { "  " + $0 }
        lines += ["", "grants"] + grants(detail).map { "  " + $0 }
        return lines
    }

    private static func tasks(_ detail: JobQueries.Detail) -> [String] {
        var table = TextTable(
            .text("role"), .number("#"), .text("state"), .number("attempts"), .number("lost"), .number("chunks"),
            .number("rows"), .number("bytes"), .text("worker"), .text("last error"))
        for task in detail.tasks {
            table.add(
                task.role.rawValue, "\(task.ordinal)", task.state.rawValue, "\(task.attempts)", "\(task.losses)",
                "\(task.chunks)", "\(task.rows)", Amount.bytes(task.bytes), task.worker ?? "–", task.lastError ?? "")
        }
        return table.lines
    }

    private static func grants(_ detail: JobQueries.Detail) -> [String] {
        guard !detail.grants.isEmpty else { return ["none"] }
        var table = TextTable(
            .text("grant"), .text("state"), .text("operations"), .text("for"), .text("key"), .text("last error"))
        for grant in detail.grants {
            let resource = grant.intent.encryptionContext["forecastle:resource"].flatMap { ARN($0)?.resource }
            table.add(
                grant.grantID.map { String($0.prefix(8)) } ?? "–", grant.state.rawValue,
                grant.intent.operations.joined(separator: ", "), resource ?? grant.intent.artifact,
                ARN(grant.intent.keyARN)?.resource ?? grant.intent.keyARN, grant.lastError ?? "")
        }
        return table.lines
    }
}
