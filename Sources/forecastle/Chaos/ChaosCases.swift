import AWSProtocol
import ArgumentParser
import Foundation
import Glibc
import Logging

/// `forecastle chaos --case N|all|quick --seed S`
struct ChaosCases: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cases", abstract: "Run cases of the matrix (the default).",
        discussion: """
            Each case starts a cluster of its own in a temporary folder: PostgreSQL with fsync on, broker, authority, API, workers. \
            Exit codes: 0 every case passed or was skipped, 1 one failed.
            """)

    enum Target: String, ExpressibleByArgument, CaseIterable {
        case embedded
    }

    @Option(name: .customLong("case"), help: ArgumentHelp("Numbers separated by commas, quick, or all.", valueName: "cases"))
    var selection: ChaosSelection

    @Option(help: "What chance is drawn from; the same seed makes the same choices.")
    var seed: UInt64?

    @Option(name: .customLong("repeat"), help: "Runs of each case, each with the next seed.")
    var repetitions = 1

    @Option(help: "Where the cases run: embedded, a cluster of their own.")
    var target = Target.embedded

    @Option(help: ArgumentHelp("Write what came of it as JSON.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write what came of it as JUnit's XML.", valueName: "file"))
    var junit: String?

    @Option(help: ArgumentHelp("Folder below which the clusters have theirs.", valueName: "folder"))
    var data = "/var/tmp/forecastle-\(getuid())"

    func validate() throws {
        guard (1...1000).contains(repetitions) else { throw ValidationError("--repeat is not between 1 and 1000") }
        if case .numbers(let numbers) = selection {
            for number in numbers where !ChaosCatalogue.all.contains(where: { $0.number == number }) {
                throw ValidationError("there is no case \(number); forecastle chaos list names them")
            }
        }
    }

    func run() async throws {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        let first = seed ?? UInt64.random(in: 1...999_999)
        // A reader of standard output that goes away must not end us before the clusters are stopped.
        signal(SIGPIPE, SIG_IGN)
        try FileManager.default.createDirectory(
            atPath: data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        var outcomes: [ChaosOutcome] = []
        for test in ChaosCatalogue.select(selection) {
            for turn in 0..<repetitions {
                let outcome = await ChaosRunner(base: data, seed: first &+ UInt64(turn)).run(test)
                outcomes.append(outcome)
                print(outcome.lines.map(TerminalText.printable).joined(separator: "\n"))
                fflush(nil)
                // As it goes on, so that a run that is cut off leaves what it knew.
                try write(outcomes)
            }
        }
        let counts = Dictionary(grouping: outcomes, by: \.verdict).mapValues(\.count)
        print("\(counts[.passed] ?? 0) passed, \(counts[.failed] ?? 0) failed, \(counts[.skipped] ?? 0) skipped")
        if counts[.failed] != nil { throw ExitCode.failure }
    }

    private func write(_ outcomes: [ChaosOutcome]) throws {
        if let json {
            let text = JSONValue.array(outcomes.map(\.json)).serializedString
            try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: json), options: .atomic)
        }
        if let junit { try Data(JUnitReport.text(outcomes).utf8).write(to: URL(fileURLWithPath: junit), options: .atomic) }
    }
}

/// `forecastle chaos list`
struct ChaosList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Name the cases, what each injects and expects, and what this machine lacks for it.")

    @Flag(help: "Write the table of docs/chaos.md.")
    var markdown = false

    func run() {
        var table = TextTable(
            .number("case"), .text("title"), .text("injected"), .text("expected"), .text("quick"), .text("needs"))
        for test in ChaosCatalogue.all {
            let needs = test.needs.map { need in
                "\(need.title)\(markdown ? "" : need.missing.map { " (\($0))" } ?? "")"
            }
            table.add(
                "\(test.number)", test.title, test.injects, test.expects, test.isQuick ? "yes" : "", needs.joined(separator: ", ")
            )
        }
        print((markdown ? table.markdown : table.lines).joined(separator: "\n"))
    }
}
