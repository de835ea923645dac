import AWSProtocol
import ArgumentParser
import Foundation
import Glibc
import Logging
import Postgres
import Verification

/// `forecastle chaos storm --jobs 10000 --minutes 30`
struct ChaosStorm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storm",
        abstract: "Submit many jobs while workers, relays, API, authority, broker and PostgreSQL die at random.",
        discussion: """
            Jobs are small imports through the API. Every process but PostgreSQL is killed or stopped at random moments; with \
            --postgres it, too. At the end all faults are healed, every accepted job is waited for, and the invariants are checked.
            """)

    @Option(help: "Jobs to be accepted.")
    var jobs = 10_000

    @Option(help: "What chance is drawn from.")
    var seed: UInt64?

    @Option(help: "Longest time for submitting; fewer jobs are accepted where it does not suffice, and that is said.")
    var minutes = 30

    @Option(help: "Longest time for the accepted jobs to end afterwards, in minutes.")
    var patience = 15

    @Option(help: "Worker processes.")
    var workers = 2

    @Option(help: "Milliseconds between two faults, on average.")
    var pause = 2000

    @Flag(help: "Kill PostgreSQL, too.")
    var postgres = false

    @Option(help: ArgumentHelp("Write what came of it as JSON.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Folder below which the cluster has its own.", valueName: "folder"))
    var data = "/var/tmp/forecastle-\(getuid())"

    func validate() throws {
        guard (1...1_000_000).contains(jobs) else { throw ValidationError("--jobs is not between 1 and 1000000") }
        guard (1...600).contains(minutes), (1...600).contains(patience) else {
            throw ValidationError("--minutes and --patience are between 1 and 600")
        }
        guard (1...64).contains(workers) else { throw ValidationError("--workers is not between 1 and 64") }
        guard (100...600_000).contains(pause) else { throw ValidationError("--pause is not between 100 and 600000") }
    }

    func run() async throws {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        signal(SIGPIPE, SIG_IGN)
        try FileManager.default.createDirectory(
            atPath: data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        let storm = Storm(
            jobs: jobs, workers: workers, submitting: .seconds(minutes * 60), ending: .seconds(patience * 60),
            pause: pause, killsPostgres: postgres)
        let outcome = await ChaosRunner(base: data, seed: seed ?? UInt64.random(in: 1...999_999)).run(storm)
        print(outcome.lines.map(TerminalText.printable).joined(separator: "\n"))
        if let json { try Data((outcome.json.serializedString + "\n").utf8).write(to: URL(fileURLWithPath: json)) }
        if outcome.verdict == .failed { throw ExitCode.failure }
    }
}

/// The storm as a case of its own, without a number in the matrix.
struct Storm: ChaosCase {
    let number = 0
    let title = "storm"
    let injects = "workers, relays, API, authority and broker killed and stopped at random"
    let expects = "none lost, none doubled, no grant left, every effect in the trail"
    let jobs: Int
    let workers: Int
    let submitting: Duration
    let ending: Duration
    let pause: Int
    let killsPostgres: Bool
    /// Submissions at once.
    private static let clients = 4
    /// Jobs that may be open: the queue is to be long, not endless.
    private static let openMax = 200

    var limit: Duration { submitting + ending + .seconds(300) }

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.workers = workers
        // A loss costs a task one of its lives, and here every process dies often.
        for role in ["worker", "api"] {
            // Ended jobs stay where attempts and losses are counted.
            setup.flags[role] = ["--worker-attempts-max=50", "--worker-slots=4", "--jobs-history-after-s=86400"]
        }
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare(openJobs: Self.openMax)
        let began = ContinuousClock.now
        let faults = Task { try await storm(trial, until: began + submitting) }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.clients {
                group.addTask {
                    while load.accepted.count < jobs, began.duration(to: .now) < submitting {
                        // A few submissions more or less between two looks: what is open is bounded by the datasets anyway.
                        let open = load.accepted.count % 8 == 0 ? (try? await cluster.openJobs()) ?? 0 : 0
                        if open >= Self.openMax {
                            try? await Task.sleep(for: .milliseconds(100))
                        } else if await load.submit(access, file: "small.csv") == nil {
                            try? await Task.sleep(for: .milliseconds(100))
                        }
                    }
                }
            }
        }
        let accepted = load.accepted.count
        trial.saw("\(accepted) of \(jobs) jobs accepted in \(began.duration(to: .now).rounded)")
        faults.cancel()
        let counts = try await faults.value
        for (fault, count) in counts.sorted(by: { $0.key < $1.key }) { trial.injected("\(fault) ×\(count)") }
        for worker in cluster.workers { cluster.resume(worker) }
        for member in ["api", "authority", "broker"] { cluster.resume(member) }
        let healed = ContinuousClock.now
        try await trial.waitForSuccess(limit: ending)
        trial.saw("all had ended \(healed.duration(to: .now).rounded) after the last fault")
        let losses = try await cluster.count("SELECT coalesce(sum(losses), 0) AS n FROM job_task")
        let attempts = try await cluster.count("SELECT coalesce(sum(attempts), 0) AS n FROM job_task")
        trial.saw("\(attempts) attempts, \(losses) of the leases then held were lost")
        try await trial.wait(until: "the outbox to drain") { try await cluster.count("SELECT count(*) AS n FROM outbox") == 0 }
        try trial.expect(accepted >= min(jobs, 1), "no job was accepted")
    }

    /// Kills and stops until it is cancelled; gives what it did.
    private func storm(_ trial: ChaosTrial, until end: ContinuousClock.Instant) async throws -> [String: Int] {
        let cluster = trial.cluster
        var counts: [String: Int] = [:]
        var victims = cluster.workers + cluster.workers + ["api", "broker", "authority"]
        if killsPostgres { victims.append("postgres") }
        while ContinuousClock.now < end, !Task.isCancelled {
            try? await Task.sleep(for: trial.random(milliseconds: pause / 4...pause * 7 / 4))
            if Task.isCancelled { break }
            let victim = victims[trial.random(0...victims.count - 1)]
            guard let child = cluster.supervisor.child(victim) else { continue }
            let kind = victim.split(separator: "-")[0]
            // PostgreSQL's children would go on: it is killed only.
            switch victim == "postgres" ? 0 : trial.random(0...4) {
            case 0...2:
                child.signal(SIGKILL)
                counts["kill -9 \(kind)", default: 0] += 1
            case 3:
                child.signal(SIGTERM)
                counts["SIGTERM \(kind)", default: 0] += 1
            default:
                child.signal(SIGSTOP)
                try? await Task.sleep(for: trial.random(milliseconds: 200...6000))
                child.signal(SIGCONT)
                counts["stopped \(kind)", default: 0] += 1
            }
        }
        return counts
    }
}
