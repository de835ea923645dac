import ArgumentParser
import Foundation
import Jobs
import Postgres

/// `forecastle bench jobs`: the engine with jobs that do nothing, beside raw PostgreSQL and other queues.
struct BenchJobs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "Measure the job engine: tasks a second, how soon jobs start, recovery, full tables.",
        discussion: """
            Starts a PostgreSQL server of its own (fsync and synchronous_commit on), the embedded broker and worker processes, \
            and removes them. Procrastinate takes part where --python names an interpreter that has it. deploy/bench-jobs \
            installs it, runs everything and writes docs/performance.md.
            """)

    enum Section: String, CaseIterable, ExpressibleByArgument {
        case tasks, accept, start, idle, stop, recovery, full
    }

    @OptionGroup var options: BenchOptions
    @OptionGroup var configuration: ConfigurationOptions

    @Option(name: .customLong("section"), help: "Only this section. Repeatable.")
    var sections: [Section] = []

    @Option(help: "No-op tasks of a run, 1,000 to 1,000,000.")
    var tasks = 20_000

    @Option(help: "Slots of a worker process, 1 to 1024.")
    var slots = 128

    @Option(help: "Python interpreter with procrastinate.")
    var python: String?

    func validate() throws {
        guard (1_000...1_000_000).contains(tasks) else { throw ValidationError("--tasks takes 1,000 to 1,000,000.") }
        guard (1...1024).contains(slots) else { throw ValidationError("--slots takes 1 to 1024.") }
    }

    private static let diskBytes = 3 << 30
    private static let finishedJobs = 1_000_000
    private static let queuedJobs = 100_000

    func run() async throws {
        try await CommandFailure.reporting {
            let machine = BenchMachine.current()
            let started = Date()
            let folder = try BenchFolder(below: options.folder, needing: options.quick ? 256 << 20 : Self.diskBytes)
            defer { folder.delete() }
            chmod(folder.path, 0o711)
            let cluster = try await JobsCluster.start(below: folder.file("c"))
            let outcome: Result<(JobsPeers, [BenchResult]), any Error>
            do {
                outcome = .success(try await measure(cluster))
            } catch {
                outcome = .failure(error)
            }
            await cluster.stop()
            let (peers, results) = try outcome.get()
            let record = BenchRecord(
                bench: "jobs", machine: machine, started: started, peers: peers.versions,
                settings: [
                    "tasks": "\(options.quick ? 1_000 : tasks)", "slots": "\(slots)",
                    "repetitions": "\(options.schedule.repetitions)", "warmUps": "\(options.schedule.warmUps)",
                ], results: results, targets: JobsTargets.all(results))
            let report = JobsReport(record: record)
            try options.publish(record, text: report.text, chart: report.chart, part: report.markdown)
        }
    }

    private func measure(_ cluster: JobsCluster) async throws -> (JobsPeers, [BenchResult]) {
        let values = try configuration.load()
        let empty = try await cluster.database("bench_empty", values: values)
        defer { empty.pool.close() }
        let peers = try await JobsPeers.find(python: python, database: empty)
        let wanted = sections.isEmpty ? Section.allCases : sections
        var line = ProgressLine(.standardError)
        var results: [BenchResult] = []
        var full: JobsDatabaseUnderTest?
        if wanted.contains(.full) {
            line.update("filling tables", key: "fill")
            let database = try await cluster.database("bench_full", values: values)
            let share = options.quick ? 100 : 1
            try await database.fill(finished: Self.finishedJobs / share, queued: Self.queuedJobs / share)
            full = database
        }
        defer { full?.pool.close() }
        for section in wanted {
            let cases =
                switch section {
                case .tasks: taskCases(empty, full, peers)
                case .accept: acceptCases(empty)
                case .idle, .recovery, .start, .stop, .full: [BenchCase]()
                }
            results += try await options.schedule.run(cases) { done, total, title in
                line.update("\(section.rawValue) \(done + 1)/\(total): \(title)", key: section.rawValue)
            }
            line.update("\(section.rawValue)", key: "moments \(section.rawValue)")
            results += try await moments(section, empty)
        }
        line.finish()
        return (peers, results)
    }

    private func taskCases(
        _ empty: JobsDatabaseUnderTest, _ full: JobsDatabaseUnderTest?, _ peers: JobsPeers
    ) -> [BenchCase] {
        let count = options.quick ? 1_000 : tasks
        let jobs = max(1, count / 1_000)
        let slots = self.slots
        func load(_ name: String, _ title: String, _ database: JobsDatabaseUnderTest, workers: Int) -> BenchCase {
            BenchCase(name: name, title: title) {
                try await database.tasks(workers: workers, slots: slots, jobs: jobs, tasksPerJob: count / jobs)
            }
        }
        var cases = [
            load("tasks.1", "no-op tasks, one worker process", empty, workers: 1),
            load("tasks.2", "no-op tasks, two worker processes", empty, workers: 2),
            BenchCase(name: "jobs.2", title: "jobs of one no-op task (plan, task, commit), two worker processes") {
                try await empty.tasks(workers: 2, slots: slots, jobs: count / 20, tasksPerJob: 1)
            },
            BenchCase(name: "peer.raw.1", title: "raw PostgreSQL, a transaction a step") {
                try await peers.raw(tasks: count / 2, batch: 1, clients: 8)
            },
            BenchCase(name: "peer.raw.100", title: "raw PostgreSQL, batches of 100") {
                try await peers.raw(tasks: count * 4, batch: 100, clients: 2)
            },
        ]
        if let full {
            cases.append(
                load("tasks.2.full", "no-op tasks, two processes, million finished, 100,000 queued", full, workers: 2))
        }
        if peers.hasProcrastinate {
            cases.append(
                BenchCase(name: "peer.procrastinate", title: "Procrastinate, two worker processes") {
                    try await peers.procrastinate(jobs: count / 10, concurrency: 32)
                })
        }
        return cases
    }

    private func acceptCases(_ database: JobsDatabaseUnderTest) -> [BenchCase] {
        let count = options.quick ? 1_000 : tasks
        return [
            BenchCase(name: "accept.one", title: "jobs accepted, one by one") {
                try await database.accept(jobs: count / 2, clients: 16, batch: 1)
            },
            BenchCase(name: "accept.batch", title: "jobs accepted, batches of 500") {
                try await database.accept(jobs: count, clients: 2, batch: 500)
            },
        ]
    }

    /// What has no throughput: the sample's wall time is the moment itself.
    private func moments(_ section: Section, _ database: JobsDatabaseUnderTest) async throws -> [BenchResult] {
        func result(_ name: String, _ title: String, _ samples: [BenchSample]) -> BenchResult {
            var result = BenchResult(name: name, title: title)
            result.samples = samples
            return result
        }
        func moment(_ seconds: Double) -> BenchSample { BenchSample(wallSeconds: seconds, cpuSeconds: 0, bytes: 1) }
        switch section {
        case .start:
            var results: [BenchResult] = []
            let seconds = options.quick ? 1.0 : 10.0
            let rounds = options.quick ? 1 : 3
            func add(_ name: String, _ title: String, _ latencies: [[Double]]) {
                for (percentile, share) in [("p50", 0.5), ("p99", 0.99)] {
                    let samples = latencies.map { moment($0[min($0.count - 1, Int(Double($0.count) * share))]) }
                    results.append(result("\(name).\(percentile)", "\(title), \(percentile)", samples))
                }
            }
            for rate in [10, 100, 1_000] {
                var commits: [[Double]] = []
                var starts: [[Double]] = []
                var refused = 0.0
                for _ in 0..<rounds {
                    commits.append(try await database.commitLatencies(perSecond: rate, seconds: seconds))
                    let (sorted, share) = try await database.startLatencies(perSecond: rate, seconds: seconds)
                    starts.append(sorted)
                    refused = max(refused, share)
                }
                let note = refused > 0 ? " (up to \(Int((refused * 100).rounded(.up))) % refused)" : ""
                add("start.\(rate)", "submit to start at \(rate) a second\(note)", starts)
                add("start.\(rate).raw", "a commit of raw PostgreSQL at \(rate) a second", commits)
            }
            return results
        case .idle:
            let seconds = options.quick ? 2.0 : 20.0
            let (worker, all) = try await database.idle(seconds: seconds)
            return [
                result(
                    "idle.worker", "a worker process",
                    [BenchSample(wallSeconds: seconds, cpuSeconds: worker * seconds, bytes: 1)]),
                result(
                    "idle.all", "worker, server and broker",
                    [BenchSample(wallSeconds: seconds, cpuSeconds: all * seconds, bytes: 1)]),
            ]
        case .stop:
            var samples: [[BenchSample]] = [[], []]
            for _ in 0..<(options.quick ? 1 : options.schedule.repetitions) {
                samples[0].append(moment(try await database.stop(withKafka: true)))
                samples[1].append(moment(try await database.stop(withKafka: false)))
            }
            return [
                result("stop.kafka", "stop of a running job", samples[0]),
                result("stop.nokafka", "stop of a running job, Kafka dead", samples[1]),
            ]
        case .recovery:
            var samples: [BenchSample] = []
            for _ in 0..<(options.quick ? 1 : options.schedule.repetitions) {
                samples.append(moment(try await database.recovery()))
            }
            return [result("recovery", "kill -9 to the task's end elsewhere", samples)]
        case .tasks, .accept, .full:
            return []
        }
    }
}
