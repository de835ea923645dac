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
}
