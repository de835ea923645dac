/// What is to be reached.
enum JobsTargets {
    static func all(_ results: [BenchResult]) -> [BenchTarget] {
        func figure(_ name: String, _ value: (BenchSample) -> Double) -> Spread? { results.named(name)?.spread(value) }
        let perSecond: (BenchSample) -> Double = { Double($0.bytes) / $0.wallSeconds }
        let milliseconds: (BenchSample) -> Double = { $0.wallSeconds * 1000 }
        return [
            BenchTarget(
                title: "no-op tasks a second, two worker processes", relation: .atLeast, limit: 5000, next: 15_000,
                unit: "tasks/s", seen: figure("tasks.2", perSecond)),
            BenchTarget(
                title: "CPU of a no-op task in all", relation: .atMost, limit: 100, unit: "µs",
                seen: figure("tasks.2") { $0.cpuSeconds / Double($0.bytes) * 1e6 }),
            BenchTarget(
                title: "accepted jobs a second, one by one", relation: .atLeast, limit: 5000, unit: "jobs/s",
                seen: figure("accept.one", perSecond)),
            BenchTarget(
                title: "accepted jobs a second, in batches", relation: .atLeast, limit: 30_000, unit: "jobs/s",
                seen: figure("accept.batch", perSecond)),
            BenchTarget(
                title: "submit to start, 10 a second, p50", relation: .atMost, limit: 5, next: 2, unit: "ms",
                seen: figure("start.10.p50", milliseconds)),
            BenchTarget(
                title: "submit to start, 10 a second, p99", relation: .atMost, limit: 12, next: 4, unit: "ms",
                seen: figure("start.10.p99", milliseconds)),
            BenchTarget(
                title: "submit to start, 100 a second, p50", relation: .atMost, limit: 5, next: 2, unit: "ms",
                seen: figure("start.100.p50", milliseconds)),
            BenchTarget(
                title: "submit to start, 100 a second, p99", relation: .atMost, limit: 12, next: 4, unit: "ms",
                seen: figure("start.100.p99", milliseconds)),
            BenchTarget(
                title: "idle worker", relation: .atMost, limit: 2, unit: "% of a core",
                seen: figure("idle.worker") { $0.cpuSeconds / $0.wallSeconds * 100 }),
            BenchTarget(
                title: "time a task, million finished and 100,000 queued", relation: .atMost, limit: 1.3,
                unit: "× empty tables",
                seen: results.ratio("tasks.2.full", to: "tasks.2") { $0.wallSeconds / Double($0.bytes) }),
            BenchTarget(
                title: "stop of a running job, Kafka dead", relation: .atMost, limit: 1, unit: "s",
                seen: figure("stop.nokafka", \.wallSeconds)),
            BenchTarget(
                title: "recovery after kill -9 (lease 5 s, beat 1 s)", relation: .atMost, limit: 6, unit: "s",
                seen: figure("recovery", \.wallSeconds)),
        ]
    }
}
