import AWSProtocol
import ArgumentParser
import AuditTrail
import Foundation
import Postgres
import Synchronization

/// `forecastle audit verify`
struct AuditVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Walk all hash chains and compare them with the heads that were exported.",
        discussion: "Names the first bad place of each shard. " + AuditExit.discussion)

    @OptionGroup var options: AuditOptions

    @Flag(help: "Leave exported heads out: what was cut off, removed or rolled back as a whole is not found then.")
    var withoutHeads = false

    func run() async throws {
        try await options.run { values, pool in
            // Before the database is read: it must be newer than whatever it is compared with.
            let evidence = withoutHeads ? nil : try await AuditOptions.evidence(values)
            let progress = Mutex(ProgressLine(.standardError))
            let isShown = isatty(STDERR_FILENO) == 1
            let report = try await AuditTrail.verify(pool: pool, evidence: evidence) { done, total in
                guard isShown else { return }
                progress.withLock { $0.update("\(done) of \(total) records", key: "") }
            }
            if isShown, report.records > 0 { progress.withLock { $0.finish() } }
            print(options.json ? report.json.serializedString : Self.text(report).joined(separator: "\n"))
            guard report.isIntact else { throw AuditExit.altered }
            if report.exports ?? 0 == 0 { throw AuditExit.incomplete }
        }
    }

    private static func text(_ report: AuditReport) -> [String] {
        var facts = [("shards", "\(report.shards)"), ("records", "\(report.records)")]
        if let exports = report.exports {
            facts.append(("exports", report.lastExport.map { "\(exports), the last at \(AWSTimestamp.extended($0))" } ?? "none"))
        } else {
            facts.append(("exports", "not compared"))
        }
        if report.tornLines > 0 { facts.append(("torn lines", "\(report.tornLines), as a crash leaves them")) }
        var lines = facts.map { "\($0.padding(toLength: 12, withPad: " ", startingAt: 0)) \($1)" }
        for loss in report.losses {
            lines.append(
                "accepted     shard \(loss.head.shard.uuidString.lowercased()): records up to \(loss.head.sequence) were given up at "
                    + AWSTimestamp.extended(loss.acceptedAt))
        }
        if report.isIntact {
            let word =
                switch report.exports {
                case nil: "intact as far as the database alone can tell; exported heads were not looked at"
                case 0?: "intact as far as the database alone can tell; there are no exported heads"
                default: "intact"
                }
            lines.append(word)
        } else {
            lines += report.findings.map { "\($0.kind.rawValue): \(TerminalText.printable($0.description))" }
            if let time = report.rolledBackTo {
                lines.append(
                    "this looks like a database from before \(AWSTimestamp.extended(time)): an old backup, or a cut-off end")
            }
        }
        return lines
    }
}
