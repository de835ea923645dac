import AWSProtocol
import ArgumentParser
import Foundation
import Glibc
import Logging

/// `forecastle chaos revoke`
struct ChaosRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Withdraw keys, grants, roles and callers in the middle of jobs at full speed.",
        discussion: """
            Imports run on many keys of several customers. At random moments a right is withdrawn, and from the reply on every \
            frame under the key, every publication and every use in the trail is looked for. Without --target it starts a \
            cluster of its own. docs/chaos.md says how it is measured and how exactly. Exit codes: 0 every bound was kept, \
            1 one was broken, 64 wrong use.
            """)

    @Option(help: "Imports open at once, spread over the keys.")
    var jobs = 12

    @Option(help: "Customer keys.")
    var keys = 6

    @Option(help: "Customers' accounts that they belong to; a --target has as many as own its buckets.")
    var accounts = 3

    @Option(help: "How long rights are withdrawn, in seconds.")
    var seconds = 120

    @Option(help: "Size of each import, in MiB.")
    var mebibytes = 24

    @Option(help: "What chance is drawn from.")
    var seed: UInt64?

    @Option(help: "Worker processes of its own cluster.")
    var workers = 2

    @Option(help: ArgumentHelp("Write what came of it as JSON.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Draw the histogram into this SVG file.", valueName: "file"))
    var chart: String?

    @Option(
        help: ArgumentHelp(
            "embedded: a cluster of its own; or the configuration of one that runs on this machine with faults.frame_trace, its env "
                + "file sourced.", valueName: "embedded|configuration"))
    var target = ChaosTarget.embedded

    @Option(help: ArgumentHelp("Folder below which its own cluster has its folder.", valueName: "folder"))
    var data = "/var/tmp/forecastle-\(getuid())"

    func validate() throws {
        guard (1...64).contains(keys), (keys...256).contains(jobs) else {
            throw ValidationError("--keys is between 1 and 64, --jobs between --keys and 256")
        }
        guard (1...16).contains(accounts) else { throw ValidationError("--accounts is between 1 and 16") }
        guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds is between 1 and 86400") }
        guard (1...1024).contains(mebibytes) else { throw ValidationError("--mebibytes is between 1 and 1024") }
        if let missing = target.missing { throw ValidationError(missing) }
        guard (1...64).contains(workers) else { throw ValidationError("--workers is between 1 and 64") }
    }

    func run() async throws {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        signal(SIGPIPE, SIG_IGN)
        let machine = BenchMachine.current()
        let site =
            switch target {
            case .running(let configuration): try RevocationSite.running(configuration)
            case .embedded: try await RevocationSite.embedded(below: data, workers: workers, accounts: accounts)
            }
        let run = RevocationRun(
            site: site, keys: keys, accounts: accounts, jobs: jobs, seconds: seconds,
            seed: seed ?? UInt64.random(in: 1...999_999), mebibytes: mebibytes)
        let outcome: Result<RevocationReport, any Error>
        do {
            outcome = .success(try await run.run { text in FileHandle.standardError.write(Data("  \(text)\n".utf8)) })
        } catch {
            outcome = .failure(error)
        }
        await site.stop()
        let report: RevocationReport
        do {
            report = try outcome.get()
        } catch {
            print("failed: \(TerminalText.printable("\(error)"))")
            if let folder = site.folder { print("kept    \(folder.path)") }
            throw ExitCode.failure
        }
        print(([machine.line] + report.lines).map(TerminalText.printable).joined(separator: "\n"))
        if let json { try Data((report.json.serializedString + "\n").utf8).write(to: URL(fileURLWithPath: json)) }
        if let chart { try Data(report.histogram.svg(caption: machine.line).utf8).write(to: URL(fileURLWithPath: chart)) }
        guard report.broken.isEmpty else {
            if let folder = site.folder { print("kept    \(folder.path)") }
            throw ExitCode.failure
        }
        if let folder = site.folder { try? FileManager.default.removeItem(atPath: folder.path) }
    }
}
