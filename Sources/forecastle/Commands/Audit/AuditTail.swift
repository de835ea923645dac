import AWSProtocol
import ArgumentParser
import AuditTrail
import Foundation
import Postgres

/// `forecastle audit tail`
struct AuditTail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Show the newest events and follow what comes.",
        discussion: "Ends with Ctrl-C, or after --limit events. With --json each event is its record, one a line. "
            + "Filters compare whole words; several of them must all fit.")
    /// How often the database is asked: one short statement each time.
    private static let interval: Duration = .milliseconds(500)
    private static let maximumLast = 1000

    @OptionGroup var options: AuditOptions

    @Option(help: "Begin with so many of the newest events, 0 to \(maximumLast); filters apply to them.")
    var last = 10

    @Option(help: "End after so many events.")
    var limit: Int?

    @Flag(help: "Show what there is and end.")
    var noFollow = false

    @Option(help: "Only events of this account.")
    var account: String?

    @Option(help: "Only events of this name, such as Decrypt.")
    var event: String?

    @Option(help: "Only events of this service, such as kms.")
    var service: String?

    @Option(help: "Only events of this principal: an ARN, or its last part.")
    var principal: String?

    @Option(help: "Only events that touched this resource: an ARN, or its last part.")
    var resource: String?

    @Flag(help: "Only events that failed.")
    var failed = false

    func validate() throws {
        guard (0...Self.maximumLast).contains(last) else { throw ValidationError("--last takes 0 to \(Self.maximumLast).") }
        if let limit, limit < 1 { throw ValidationError("--limit takes 1 or more.") }
        if let account, !ARN.isAccountID(account) { throw ValidationError("--account takes the 12 digits of an account.") }
    }

    func run() async throws {
        try await options.run { _, pool in
            var follower = try await AuditFollower(pool: pool)
            if !options.json { print(Self.columns) }
            var shown = 0
            var records = last > 0 ? try await AuditTrail.newest(last, pool: pool) : []
            while true {
                for entry in records.compactMap(TrailEntry.init) where isWanted(entry) {
                    print(options.json ? entry.stored.text : Self.line(entry))
                    shown += 1
                    if shown == limit { return }
                }
                fflush(nil)
                if noFollow { return }
                records = try await follower.next()
                if records.isEmpty { try await Task.sleep(for: Self.interval) }
            }
        }
    }

    private func isWanted(_ entry: TrailEntry) -> Bool {
        func fits(_ wanted: String?, _ values: [String]) -> Bool { wanted.map { values.contains($0) } ?? true }
        return fits(account, [entry.stored.account]) && fits(event, [entry.event])
            && fits(service, [entry.source, String(entry.source.prefix { $0 != "." })])
            && fits(principal, [entry.principal, entry.who])
            && fits(resource, entry.resources + entry.resources.compactMap { ARN($0)?.baseName })
            && (!failed || entry.error != nil)
    }

    private static let widths = [20, 12, 20, 26]

    private static let columns = row(["time", "account", "who", "event"], rest: "resources, error")

    private static func line(_ entry: TrailEntry) -> String {
        let name = "\(entry.source.prefix { $0 != "." }):\(entry.event)"
        var rest = entry.resources.map { ARN($0)?.resource ?? $0 }
        if let error = entry.error { rest.append(error) }
        return TerminalText.printable(
            row([entry.time, entry.stored.account, entry.who, name], rest: rest.joined(separator: "  ")))
    }

    private static func row(_ cells: [String], rest: String) -> String {
        let padded = zip(cells, widths).map { $0.count < $1 ? $0 + String(repeating: " ", count: $1 - $0.count) : $0 }
        return (padded + [rest]).joined(separator: "  ")
    }
}
