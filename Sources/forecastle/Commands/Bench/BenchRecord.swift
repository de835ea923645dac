import AWSProtocol
import ArgumentParser
import Foundation

/// One run of a benchmark: what `--json` prints, `--save` keeps and `--compare` reads.
struct BenchRecord: Sendable {
    let bench: String
    let machine: BenchMachine
    let started: Date
    /// Versions of the peers that took part, by name.
    let peers: [String: String]
    let settings: [String: String]
    let results: [BenchResult]
    let targets: [BenchTarget]
    let loadAfter = BenchMachine.load()

    var json: JSONValue {
        [
            "bench": .string(bench), "version": .string(Forecastle.configuration.version),
            "started": .string(AWSTimestamp.extended(started)), "machine": machine.json, "loadAfter": .double(loadAfter),
            "peers": .stringMap(peers), "settings": .stringMap(settings), "results": .array(results.map(\.json)),
            "targets": .array(targets.map(\.json)),
        ]
    }

    /// Bound of a saved record that is read again.
    private static let limits = JSONLimits(entries: 1_000_000, bytes: 64 << 20)

    /// Results of an earlier run. Throws where the file is no record of the same benchmark.
    static func results(ofFile path: String, bench: String) throws -> [BenchResult] {
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw CommandFailure("\(path) cannot be read.", MessageExit.noInput)
        }
        guard let record = try? JSONValue.parse(bytes, limits: limits), record["bench"]?.stringValue == bench,
            let results = record["results"]?.arrayValue
        else { throw CommandFailure("\(path) is no record of `forecastle bench \(bench)`.", MessageExit.noInput) }
        return results.compactMap { BenchResult(json: $0) }
    }

    /// CPU time then and now of what both runs measured.
    func comparison(with earlier: [BenchResult]) -> [String] {
        comparison(with: earlier, "CPU s/GiB", \.cpuSecondsPerGiB)
            + comparison(with: earlier, "CPU ms/request", \.cpuMillisecondsPerRequest)
    }

    private func comparison(
        with earlier: [BenchResult], _ title: String, _ figure: (BenchSample) -> Double
    ) -> [String] {
        var table = TextTable(
            .text("case"), .number("\(title) before"), .number("now"), .number("now/before"), .text("ranges apart"))
        for result in results {
            guard let now = result.spread(figure),
                let before = earlier.named(result.name)?.spread(figure)
            else { continue }
            let apart = now.low > before.high ? "slower" : now.high < before.low ? "faster" : ""
            table.add(
                result.title, before.text(3), now.text(3), Amount.decimals(now.median / before.median, 2), apart)
        }
        return table.isEmpty ? [] : table.lines
    }
}
