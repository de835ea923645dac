import Foundation
import Telemetry
import Testing

private let packageRoot = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

struct MetricNameTests {
    @Test func everyNameThatIsWrittenIsListed() throws {
        let folder = packageRoot.appending(path: "Sources/Telemetry/Metrics")
        var written: Set<String> = []
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        where file.lastPathComponent.hasPrefix("MetricName+") {
            for match in try String(contentsOf: file, encoding: .utf8).matches(
                of: /static let \w+ = (?:counter|gauge|histogram)\(\s*"(\w+)"/)
            { written.insert(String(match.output.1)) }
        }
        #expect(written.count > 40)
        #expect(written == Set(MetricName.all.map(\.text)))
    }

    @Test func namesAreUniqueAndSayTheirUnitLast() {
        #expect(Set(MetricName.all.map(\.text)).count == MetricName.all.count)
        for name in MetricName.all {
            #expect(!name.text.hasSuffix("_total"), "\(name.text): the end is added when it is rendered")
            #expect(!name.help.isEmpty && name.help.hasSuffix("."), "\(name.text)")
            if case .histogram(let bounds) = name.kind {
                #expect(name.text.hasSuffix("_seconds"), "\(name.text)")
                #expect(bounds == bounds.sorted() && Set(bounds).count == bounds.count, "\(name.text)")
            }
        }
    }

    /// Names in the files of deploy/ that are a metric's, as Prometheus has them.
    private func namesInUse() throws -> [(name: String, file: String)] {
        var found: [(String, String)] = []
        for folder in ["deploy/dashboards", "deploy/prometheus"] {
            let root = packageRoot.appending(path: folder)
            for file in try FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil) {
                for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                    // Expressions alone: names of recorded rules and of files stand in other lines.
                    for match in line.matches(of: /\b(?:forecastle|process)_[a-z0-9_]+/) {
                        found.append((String(match.output), file.lastPathComponent))
                    }
                }
            }
        }
        return found
    }

    @Test func everyMetricOfDashboardsAndAlertsExists() throws {
        var rendered: Set<String> = []
        for name in MetricName.all {
            rendered.insert(name.rendered)
            if case .histogram = name.kind { for end in ["bucket", "sum", "count"] { rendered.insert("\(name.text)_\(end)") } }
        }
        let used = try namesInUse()
        #expect(used.count > 60)
        for (name, file) in used { #expect(rendered.contains(name), "\(file) names \(name), which nothing counts") }
    }

    @Test func everyAlertHasItsRunbookAndATestInWhichItFires() throws {
        func text(_ path: String) throws -> String {
            try String(contentsOf: packageRoot.appending(path: path), encoding: .utf8)
        }
        let rules = try text("deploy/prometheus/alerts.yml")
        let alerts = rules.matches(of: /- alert: (\w+)/).map { String($0.output.1) }
        #expect(alerts.count > 10 && Set(alerts).count == alerts.count)
        let runbooks = try text("docs/operations.md").matches(of: /(?m)^### (Forecastle\w+)$/).map { String($0.output.1) }
        #expect(runbooks.sorted() == alerts.sorted())
        let tests = try text("deploy/prometheus/alerts_test.yml")
        for alert in alerts {
            #expect(rules.contains("docs/operations.md#\(alert.lowercased())\n"), "\(alert)")
            #expect(tests.contains("alertname=\"\(alert)\""), "\(alert)")
        }
    }
}
