import AWSProtocol
import ArgumentParser
import AuditTrail
import Foundation

/// `forecastle audit window`
struct AuditWindow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "window", abstract: "Measure for how long the end of the trail could have been cut off unnoticed.",
        discussion: "From the moment the database took a record until a signed head that covers it was on disk outside, over "
            + "the newest records of every shard.")

    @OptionGroup var options: AuditOptions

    @Option(help: "Records of each shard, 1 to \(ExportWindow.maximumRecords).")
    var records = 10_000

    func validate() throws {
        guard (1...ExportWindow.maximumRecords).contains(records) else {
            throw ValidationError("--records takes 1 to \(ExportWindow.maximumRecords).")
        }
    }

    func run() async throws {
        try await options.run { values, pool in
            guard let evidence = try await AuditOptions.evidence(values) else {
                throw ConfigurationError(key: "audit.heads_directory", rule: "must be set: without it the window never closes")
            }
            let window = try await ExportWindow.measure(records, evidence: evidence, pool: pool)
            let quantiles = [("p50", window.quantile(0.5)), ("p99", window.quantile(0.99)), ("longest", window.longest)]
            if options.json {
                var object: JSONObject = [
                    "records": .int(Int64(window.records)), "notYetCovered": .int(Int64(window.uncovered)),
                    "slowestWriteSeconds": .double(Double(evidence.slowestMilliseconds) / 1000),
                ]
                for (name, value) in quantiles { object[name + "Seconds"] = value.map { .double($0) } ?? .null }
                print(object.serializedString)
            } else {
                print("records       \(window.records), and \(window.uncovered) that no export covers yet")
                for (name, value) in quantiles {
                    let shown = value.map { Amount.decimals($0, 3) + " s" } ?? "–"
                    print("\(name.padding(toLength: 13, withPad: " ", startingAt: 0)) \(shown)")
                }
                let slowest = Amount.decimals(Double(evidence.slowestMilliseconds) / 1000, 3)
                print("slowest write \(slowest) s, which every figure contains")
            }
        }
    }
}
