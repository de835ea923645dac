import AWSProtocol
import ArgumentParser
import Foundation
import Glibc
import Logging

/// `forecastle chaos soak --minutes 120`
struct ChaosSoak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "A steady load for hours under random kills and revocations: is anything lost, and does anything grow?",
        discussion: """
            Customers import, and delete what was imported a minute ago; now and then a process dies or halts, or a key is withdrawn \
            in the middle of a job. Every few seconds memory, descriptors and threads of each process, the tables' sizes and the \
            latency of calls are written down. At the end everything is healed, waited for and verified, and whatever grew is named.
            """)

    @Option(help: "How long the load goes on.")
    var minutes = 120

    @Option(help: "What chance is drawn from.")
    var seed: UInt64?

    @Option(help: "Worker processes; the first is left alone, so that one lives from beginning to end.")
    var workers = 3

    @Option(help: "Milliseconds between two faults, on average.")
    var pause = 10_000

    @Option(help: "Imports submitted in a second.")
    var rate = 4

    @Option(help: "Seconds between two samples.")
    var sample = 5

    @Option(help: ArgumentHelp("Write every sample as CSV.", valueName: "file"))
    var csv: String?

    @Option(help: ArgumentHelp("Write what came of it as JSON.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Folder below which the cluster has its own.", valueName: "folder"))
    var data = "/var/tmp/forecastle-\(getuid())"

    func validate() throws {
        guard (1...10_080).contains(minutes) else { throw ValidationError("--minutes is not between 1 and 10080") }
        guard (2...64).contains(workers) else { throw ValidationError("--workers is not between 2 and 64") }
        guard (500...600_000).contains(pause) else { throw ValidationError("--pause is not between 500 and 600000") }
        guard (1...100).contains(rate) else { throw ValidationError("--rate is not between 1 and 100") }
        guard (1...600).contains(sample) else { throw ValidationError("--sample is not between 1 and 600") }
    }

    func run() async throws {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        signal(SIGPIPE, SIG_IGN)
        try FileManager.default.createDirectory(
            atPath: data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        let samples = SoakSamples()
        let soak = Soak(
            duration: .seconds(minutes * 60), workers: workers, pause: pause, rate: rate, interval: .seconds(sample),
            samples: samples)
        let outcome = await ChaosRunner(base: data, seed: seed ?? UInt64.random(in: 1...999_999)).run(soak)
        print(outcome.lines.map(TerminalText.printable).joined(separator: "\n"))
        let verdict = SoakVerdict(samples)
        print(verdict.table.lines.joined(separator: "\n"))
        if let csv { try Data(samples.csv.utf8).write(to: URL(fileURLWithPath: csv)) }
        if let json {
            let report: JSONValue = ["outcome": outcome.json, "trends": verdict.json]
            try Data((report.serializedString + "\n").utf8).write(to: URL(fileURLWithPath: json))
        }
        if outcome.verdict == .failed { throw ExitCode.failure }
    }
}
