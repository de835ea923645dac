import AWSProtocol
import ArgumentParser
import Foundation
import Glibc
import Logging

/// `forecastle chaos run SCENARIO`
struct ChaosScenario: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a scenario file.",
        discussion: """
            On a cluster of its own, or with --data on one that runs with forecastle up --fault-proxies. docs/chaos.md has the \
            format, config/scenarios examples. Exit codes: 0 what the file expects came, 1 it did not, 64 the file is wrong.
            """)

    @Argument(help: "The scenario file (YAML).")
    var file: String

    @Flag(help: "Only read the file and say what is wrong with it.")
    var check = false

    @Option(help: ArgumentHelp("Folder of a running cluster; else one of its own is started.", valueName: "folder"))
    var data: String?

    @Option(help: ArgumentHelp("Write what came of it as JSON.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Folder below which its own cluster has its folder.", valueName: "folder"))
    var base = "/var/tmp/forecastle-\(getuid())"

    func run() async throws {
        let scenario: Scenario
        do {
            scenario = try Scenario(file: file)
        } catch let failure as Scenario.Failure {
            throw ValidationError(failure.description)
        }
        guard !check else { return print("\(file): \(scenario.name), \(Amount.count(scenario.steps.count, "step"))") }
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        signal(SIGPIPE, SIG_IGN)
        print(TerminalText.printable(scenario.name))
        let report: ScenarioRun.Report
        if let data {
            report = try await ScenarioRun(scenario: scenario, folder: DataFolder(data), say: Self.say).run()
        } else {
            report = try await onItsOwn(scenario)
        }
        if let json { try Data((report.json(scenario).serializedString + "\n").utf8).write(to: URL(fileURLWithPath: json)) }
        if let failure = report.failure {
            print("FAILED  \(TerminalText.printable(failure))")
            throw ExitCode.failure
        }
        print("held    \(Amount.count(report.accepted, "import"))")
    }

    private static let say: @Sendable (String) -> Void = { text in
        print("  \(TerminalText.printable(text))")
        fflush(nil)
    }

    private func onItsOwn(_ scenario: Scenario) async throws -> ScenarioRun.Report {
        try FileManager.default.createDirectory(
            atPath: base, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        let folder = DataFolder("\(base)/scenario.\(getpid())")
        try folder.create()
        let logger = Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() }
        let plain = try EmbeddedCluster(folder: folder, workers: scenario.workers, isThrowaway: false, logger: logger)
        let plumbing = try FaultPlumbing(cluster: plain, others: [], seed: scenario.seed, logger: logger)
        var wiring = plumbing.wiring
        // Short leases and small pieces, as the cases have them.
        for role in ["api", "worker"] { wiring.flags[role, default: []] += ChaosSetup.defaults }
        let supervisor = Supervisor(logger: logger, restartDelayMax: .seconds(1))
        let proxies = Task { try await plumbing.run() }
        defer { proxies.cancel() }
        let outcome: Result<ScenarioRun.Report, any Error>
        do {
            try FaultControlSocket(folder: folder).serve(
                FaultControl(folder: folder, workers: scenario.workers, plumbing: plumbing, supervisor: supervisor))
            try await plain.wired(wiring).start(.everything, supervisor)
            outcome = .success(try await ScenarioRun(scenario: scenario, folder: folder, say: Self.say).run())
        } catch {
            outcome = .failure(error)
        }
        await supervisor.stopAll()
        let report = try outcome.get()
        if report.holds {
            try? FileManager.default.removeItem(atPath: folder.path)
        } else {
            print("kept    \(folder.path)")
        }
        return report
    }
}
