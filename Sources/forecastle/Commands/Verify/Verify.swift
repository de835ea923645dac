import AWSProtocol
import ArgumentParser
import Foundation
import Logging
import Postgres
import Verification

/// `forecastle verify`: whether a cluster keeps what it promises, whatever happened to it.
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the invariants I1 to I8 on a live or just healed cluster.",
        discussion: """
            Reads both databases, the artifact store and the processes of this machine; changes nothing and needs no key. \
            docs/chaos.md says what each invariant is. Exit codes: 0 all hold, 1 one does not or could not be checked.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(help: ArgumentHelp("Jobs that clients were told are accepted: {\"arn\": …, \"time\": …} a line.", valueName: "file"))
    var acked: String?

    @Option(
        name: .customLong("client-errors"),
        help: ArgumentHelp("Errors that clients saw: {\"operation\": …, \"code\": …, \"status\": …} a line.", valueName: "file"))
    var clientErrors: String?

    @Option(
        name: .customLong("canary"),
        help: ArgumentHelp("Text of customers' data that may stand nowhere; repeatable.", valueName: "text"))
    var canaries: [String] = []

    @Option(
        name: .customLong("search"),
        help: ArgumentHelp(
            "Further folder to search for canaries; an embedded cluster's own is searched anyway.", valueName: "folder"))
    var searched: [String] = []

    @Option(help: ArgumentHelp("Memory that a process may have used at its peak; a worker more by its chunks.", valueName: "mib"))
    var memoryMib = VerifiedCluster.defaultMemoryBytes >> 20

    @Flag(help: "Write JSON.")
    var json = false

    func run() async throws {
        let values = try options.load()
        let configuration = options.config ?? ProcessInfo.processInfo.environment["FORECASTLE_CONFIG"]
        let result = try await VerifiedCluster.with(values, configuration: configuration, memoryBytes: memoryMib << 20) {
            cluster in
            var cluster = cluster
            if let acked { cluster.accepted = try ClientRecords.accepted(try String(contentsOfFile: acked, encoding: .utf8)) }
            if let clientErrors {
                cluster.clientErrors = try ClientRecords.errors(try String(contentsOfFile: clientErrors, encoding: .utf8))
            }
            cluster.canaries = canaries
            cluster.searched += searched
            return try await Verification.run(cluster)
        }
        print(json ? result.json.serializedString : result.text)
        if !result.holds { throw ExitCode.failure }
    }
}

extension Verification {
    /// A table for people, and behind it whatever was found.
    var text: String {
        var table = TextTable(.text("invariant"), .text("holds"), .text("checked"), .text("notes"))
        for result in results {
            table.add(
                "\(result.name) \(result.title)", result.finding.holds ? "yes" : "NO",
                result.finding.checked.map { "\($0.count) \($0.what)" }.joined(separator: ", "),
                result.finding.notes.joined(separator: "; "))
        }
        return (table.lines + violations).map(TerminalText.printable).joined(separator: "\n")
    }
}
