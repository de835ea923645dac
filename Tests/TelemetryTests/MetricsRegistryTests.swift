import CoreMetrics
import Telemetry
import Testing

struct MetricsRegistryTests {
    @Test func countersAddUpPerLabels() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "jobs", dimensions: [("kind", "import")]).increment(by: 2)
        registry.makeCounter(label: "jobs", dimensions: [("kind", "import")]).increment(by: 3)
        registry.makeCounter(label: "jobs", dimensions: [("kind", "train")]).increment(by: 1)
        #expect(
            registry.prometheusText() == """
                # TYPE jobs_total counter
                jobs_total{kind="import"} 5
                jobs_total{kind="train"} 1

                """)
    }

    @Test func gaugesKeepTheLastValueAndTimersSumSeconds() {
        let registry = MetricsRegistry()
        let gauge = registry.makeMeter(label: "running", dimensions: [])
        gauge.set(Int64(4))
        gauge.decrement(by: 1.5)
        let timer = registry.makeTimer(label: "task.seconds", dimensions: [])
        timer.recordNanoseconds(1_500_000_000)
        timer.recordNanoseconds(500_000_000)
        #expect(
            registry.prometheusText() == """
                # TYPE running gauge
                running 2.5
                # TYPE task_seconds summary
                task_seconds_sum 2
                task_seconds_count 2

                """)
    }

    @Test func labelValuesCannotBreakOutOfTheirLine() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "9 lives", dimensions: [("a-b", "x\"} 1\nevil 1\\")]).increment(by: 1)
        #expect(
            registry.prometheusText() == """
                # TYPE _9_lives_total counter
                _9_lives_total{a_b="x\\"} 1\\nevil 1\\\\"} 1

                """)
    }

    @Test(arguments: [(1, 1), (2, 2), (3, 2)])
    func seriesBeyondTheBoundAreCountedNowhere(wanted: Int, kept: Int) {
        let registry = MetricsRegistry(maximumSeries: 2)
        for number in 0..<wanted { registry.makeCounter(label: "c\(number)", dimensions: []).increment(by: 1) }
        #expect(registry.prometheusText().split(separator: "\n").count { !$0.hasPrefix("#") } == kept)
    }

    @Test func aHistogramCountsWhatIsAtMostEachBound() {
        let registry = MetricsRegistry()
        let name = MetricName.revocationSeconds
        let timer = registry.makeTimer(label: name.text, dimensions: [])
        // Below the first bound, on a bound, above the last one.
        for milliseconds in [0, 100, 60_000] as [Int64] { timer.recordNanoseconds(milliseconds * 1_000_000) }
        let lines = registry.prometheusText().split(separator: "\n").map(String.init)
        #expect(lines[0] == "# HELP \(name.text) \(name.help)")
        #expect(lines[1] == "# TYPE \(name.text) histogram")
        #expect(lines.contains("\(name.text)_bucket{le=\"0.0005\"} 1"))
        #expect(lines.contains("\(name.text)_bucket{le=\"0.05\"} 1"))
        #expect(lines.contains("\(name.text)_bucket{le=\"0.1\"} 2"))
        #expect(lines.contains("\(name.text)_bucket{le=\"30\"} 2"))
        #expect(lines.contains("\(name.text)_bucket{le=\"+Inf\"} 3"))
        #expect(lines.suffix(2) == ["\(name.text)_sum 60.1", "\(name.text)_count 3"])
    }

    @Test func readersAreAskedBeforeEachRendering() {
        let registry = MetricsRegistry()
        let gauge = registry.makeMeter(label: "in_use", dimensions: [])
        registry.beforeRendering { gauge.increment(by: 1) }
        #expect(registry.prometheusText().hasSuffix("in_use 1\n"))
        #expect(registry.prometheusText().hasSuffix("in_use 2\n"))
    }

    @Test func seriesBeyondTheBoundAreTold() {
        let registry = MetricsRegistry(maximumSeries: 1)
        for number in 0..<3 { registry.makeCounter(label: "c\(number)", dimensions: []).increment(by: 1) }
        #expect(registry.droppedSeries == 2)
    }
}
