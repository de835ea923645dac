import Foundation
import Glibc
import Logging
import Verification

/// Runs a case: a cluster of its own, the fault, the wait, the checks.
struct ChaosRunner: Sendable {
    /// Folder below which every run has its own; short enough for a Unix socket, and PostgreSQL's user can go through it.
    let base: String
    let seed: UInt64
    var target = ChaosTarget.embedded

    func run(_ test: any ChaosCase) async -> ChaosOutcome {
        var outcome = ChaosOutcome(number: test.number, title: test.title, seed: seed, verdict: .skipped)
        let started = ContinuousClock.now
        var missing = test.needs.compactMap(\.missing)
        if case .running = target, test.reach == .processes {
            missing = ["it tampers with processes or their settings: it needs a cluster of its own, --target embedded"]
        }
        guard missing.isEmpty else {
            outcome.reason = missing.joined(separator: "; ")
            return outcome
        }
        let folder = DataFolder("\(base)/chaos-\(test.number).\(getpid())")
        do {
            try await run(test, in: folder, &outcome)
        } catch let skip as ChaosSkip {
            outcome.verdict = .skipped
            outcome.reason = skip.description
        } catch {
            outcome.verdict = .failed
            outcome.reason = "\(error)"
        }
        let took = started.duration(to: .now).components
        outcome.seconds = (Double(took.seconds) * 10 + Double(took.attoseconds / 100_000_000_000_000_000)) / 10
        if outcome.verdict == .failed {
            outcome.folder = folder.path
            outcome.trail = ((try? String(contentsOfFile: folder.auditTail, encoding: .utf8)) ?? "")
                .split(separator: "\n").map(String.init)
        } else {
            try? FileManager.default.removeItem(atPath: folder.path)
        }
        return outcome
    }

    private func run(_ test: any ChaosCase, in folder: DataFolder, _ outcome: inout ChaosOutcome) async throws {
        try? FileManager.default.removeItem(atPath: folder.path)
        try folder.create()
        let lock = try folder.lock()
        defer { close(lock) }
        var disks: [MemoryFileSystem] = []
        defer { for disk in disks { disk.unmount() } }
        let cluster: ChaosCluster
        switch target {
        case .embedded:
            for (disk, bytes) in test.setup.disks {
                disks.append(try MemoryFileSystem(at: disk.path(in: folder), bytes: bytes))
            }
            cluster = try ChaosCluster(folder: folder, setup: test.setup, seed: seed)
        case .running(let configuration):
            cluster = try ChaosCluster(configuration: configuration, folder: folder)
        }
        var trial: ChaosTrial?
        do {
            try await cluster.start()
            let load = try await ChaosLoad(
                cluster: cluster, canary: "canary\(String(seed, radix: 36))x\(getpid())")
            let current = ChaosTrial(seed: seed, cluster: cluster, load: load)
            trial = current
            try await within(test.limit) { try await test.run(current) }
            try current.expect(!current.injected.isEmpty, "nothing was injected, so nothing was shown")
            await current.settle()
            let verification = try await cluster.verify(load)
            outcome.verification = verification
            let count = verification.violations.count
            try current.expect(verification.holds, "\(count) violations of the invariants")
            outcome.verdict = .passed
            note(current, &outcome)
        } catch {
            if let trial {
                note(trial, &outcome)
                _ = try? trial.load.records(in: folder.path)
            }
            // A stopped server answers nobody.
            for pid in cluster.postgresProcesses { kill(pid, SIGCONT) }
            await cluster.writeAuditTail(to: folder.auditTail)
            await cluster.stop()
            throw error
        }
        await cluster.stop()
    }

    /// What of the outcome the trial knows.
    private func note(_ trial: ChaosTrial, _ outcome: inout ChaosOutcome) {
        outcome.injected = trial.injected
        outcome.seen = trial.seen
        if trial.load.unanswered > 0 { outcome.seen.append("\(trial.load.unanswered) calls had no answer") }
        let errors = Dictionary(grouping: trial.load.errors, by: \.code).mapValues(\.count).sorted { $0.key < $1.key }
        if !errors.isEmpty {
            outcome.seen.append("clients saw " + errors.map { "\($0.key) ×\($0.value)" }.joined(separator: ", "))
        }
    }

    private func within(_ limit: Duration, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                try await Task.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            guard try await group.next() == true else {
                throw ChaosFailure(description: "the case did not end within \(limit)")
            }
        }
    }
}

extension DataFolder {
    /// The end of the trail, kept beside the logs of a case that failed.
    var auditTail: String { path + "/audit-tail.jsonl" }
}
