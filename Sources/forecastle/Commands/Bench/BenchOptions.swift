import AWSProtocol
import ArgumentParser
import Foundation

/// What all benchmarks take.
struct BenchOptions: ParsableArguments {
    @Option(help: "Repetitions that count, 1 to \(BenchSchedule.repetitionsMax).")
    var repetitions = 5

    @Option(name: .customLong("warm-ups"), help: "Rounds before them that do not count, 0 to 10.")
    var warmUps = 1

    @Flag(help: "Tiny sizes and two repetitions: shows that everything works, measures nothing.")
    var quick = false

    @Option(help: "Folder for the files, which are removed at the end.")
    var folder = "/var/tmp"

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "Save the record as JSON in this file.")
    var save: String?

    @Option(help: "Compare with a record that was saved earlier.")
    var compare: String?

    @Option(help: "Draw the chart into this SVG file.")
    var chart: String?

    @Option(help: "Replace this benchmark's part of a Markdown page.")
    var page: String?

    func validate() throws {
        guard (1...BenchSchedule.repetitionsMax).contains(repetitions) else {
            throw ValidationError("--repetitions takes 1 to \(BenchSchedule.repetitionsMax).")
        }
        guard (0...10).contains(warmUps) else { throw ValidationError("--warm-ups takes 0 to 10.") }
    }

    var schedule: BenchSchedule {
        quick ? BenchSchedule(warmUps: 0, repetitions: 2) : BenchSchedule(warmUps: warmUps, repetitions: repetitions)
    }

    /// Prints, saves, draws and compares, as asked.
    func publish(
        _ record: BenchRecord, text: [String], chart drawing: @autoclosure () -> String, part: @autoclosure () -> [String]
    ) throws {
        let earlier = try compare.map { try BenchRecord.results(ofFile: $0, bench: record.bench) }
        if json {
            print(record.json.serializedString)
        } else {
            print(text.joined(separator: "\n"))
            if let earlier { print("\n" + record.comparison(with: earlier).joined(separator: "\n")) }
        }
        if let save { try Self.write(record.json.serializedString + "\n", to: save) }
        if let chart { try Self.write(drawing(), to: chart) }
        if let page {
            let text = (try? String(contentsOfFile: page, encoding: .utf8)) ?? "# Performance\n"
            try Self.write(MarkdownPart(record.bench).replace(in: text, by: part()), to: page)
        }
    }

    private static func write(_ text: String, to file: String) throws {
        do {
            try Data(text.utf8).write(to: URL(filePath: file), options: .atomic)
        } catch {
            throw CommandFailure("\(file) cannot be written.", MessageExit.cannotCreate)
        }
    }
}

/// The part of a page that one benchmark writes, between two comments. The rest of the page is people's.
struct MarkdownPart {
    private let begin: String
    private let end: String

    init(_ name: String) {
        begin = "<!-- begin forecastle bench \(name) -->"
        end = "<!-- end forecastle bench \(name) -->"
    }

    /// Appends the part where the page has none.
    func replace(in page: String, by lines: [String]) -> String {
        let part = ([begin] + lines + [end]).joined(separator: "\n")
        guard let start = page.range(of: begin), let stop = page.range(of: end), start.lowerBound < stop.lowerBound else {
            return page + "\n" + part + "\n"
        }
        return page.replacingCharacters(in: start.lowerBound..<stop.upperBound, with: part)
    }
}
