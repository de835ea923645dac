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

    @Option(name: .customLong("case"), help: ArgumentHelp("Numbers separated by commas, quick, or all.", valueName: "cases"))
    var selection: ChaosSelection

    @Option(help: "What chance is drawn from; the same seed makes the same choices.")
    var seed: UInt64?

    @Option(help: ArgumentHelp("Several seeds in one report, in the place of --seed.", valueName: "numbers"))
    var seeds: SeedList?

    @Option(name: .customLong("repeat"), help: "Runs of each case and seed, each with the next seed.")
    var repetitions = 1

    @Option(
        help: ArgumentHelp(
            "embedded: each case in a cluster of its own; else the configuration file of a running one, with its env sourced.",
            valueName: "embedded|file"))
    var target = ChaosTarget.embedded

    @Option(help: ArgumentHelp("Write what came of it as JSON.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write what came of it as JUnit's XML.", valueName: "file"))
    var junit: String?

    @Option(help: ArgumentHelp("Folder below which the clusters have theirs.", valueName: "folder"))
    var data = "/var/tmp/forecastle-\(getuid())"

    func validate() throws {
        if let missing = target.missing { throw ValidationError(missing) }
        guard seed == nil || seeds == nil else { throw ValidationError("--seed and --seeds are given: one of the two") }
        guard (1...1000).contains(repetitions) else { throw ValidationError("--repeat is not between 1 and 1000") }
        if case .numbers(let numbers) = selection {
            for number in numbers where !ChaosCatalogue.all.contains(where: { $0.number == number }) {
                throw ValidationError("there is no case \(number); forecastle chaos list names them")
            }
        }
    }

    func run() async throws {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        let firsts = seeds?.numbers ?? [seed ?? UInt64.random(in: 1...999_999)]
        // A reader of standard output that goes away must not end us before the clusters are stopped.
        signal(SIGPIPE, SIG_IGN)
        try FileManager.default.createDirectory(
            atPath: data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        var outcomes: [ChaosOutcome] = []
        // Seed by seed: a run that is cut off leaves whole passes.
        for seed in firsts.flatMap({ first in (0..<repetitions).map { first &+ UInt64($0) } }) {
            for test in ChaosCatalogue.select(selection) {
                let outcome = await ChaosRunner(base: data, seed: seed, target: target).run(test)
                outcomes.append(outcome)
                print(outcome.lines.map(TerminalText.printable).joined(separator: "\n"))
                fflush(nil)
                // As it goes on, so that a run that is cut off leaves what it knew.
                try write(outcomes)
            }
        }
        let counts = Dictionary(grouping: outcomes, by: \.verdict).mapValues(\.count)
        let seconds = outcomes.reduce(0) { $0 + $1.seconds }
        print(
            "\(counts[.passed] ?? 0) passed, \(counts[.failed] ?? 0) failed, \(counts[.skipped] ?? 0) skipped in \(Int(seconds)) s; "
                + "revision \(Revision.current)")
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

/// `1,2,3`
struct SeedList: ExpressibleByArgument {
    static let countMax = 100
    let numbers: [UInt64]

    init?(argument: String) {
        let words = argument.split(separator: ",", omittingEmptySubsequences: false)
        numbers = words.compactMap { UInt64($0) }
        guard !numbers.isEmpty, numbers.count == words.count, numbers.count <= Self.countMax else { return nil }
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
            .number("case"), .text("title"), .text("injected"), .text("expected"), .text("quick"), .text("running"),
            .text("needs"))
        for test in ChaosCatalogue.all {
            let needs = test.needs.map { need in
                "\(need.title)\(markdown ? "" : need.missing.map { " (\($0))" } ?? "")"
            }
            table.add(
                "\(test.number)", test.title, test.injects, test.expects, test.isQuick ? "yes" : "",
                test.reach == .cluster ? "yes" : "", needs.joined(separator: ", ")
            )
        }
        print((markdown ? table.markdown : table.lines).joined(separator: "\n"))
    }
}
