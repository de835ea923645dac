import AWSProtocol
import Foundation
import Glibc
import Postgres
import Synchronization
import Verification

/// The soak as a case of its own, without a number in the matrix.
struct Soak: ChaosCase {
    let number = 0
    let title = "soak"
    let injects = "processes killed and stopped, keys withdrawn, at random, under a steady load"
    let expects = "nothing lost, doubled or left; memory, descriptors, tables and latency flat"
    let duration: Duration
    let workers: Int
    let pause: Int
    let rate: Int
    let interval: Duration
    let samples: SoakSamples
    private static let openMax = 40
    /// What was imported so long ago is deleted, so that the tables hold as much at the end as after a while.
    private static let keptFor: Duration = .seconds(60)

    var limit: Duration { duration + .seconds(1200) }

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.workers = workers
        for role in ["worker", "api"] { setup.flags[role] = ["--worker-attempts-max=50", "--jobs-history-after-s=30"] }
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare(openJobs: Self.openMax)
        let end = ContinuousClock.now + duration
        let withdrawn = try await SoakWithdrawals(trial)
        let counts = try await withThrowingTaskGroup(of: [String: Int].self) { group in
            group.addTask {
                try await self.until(end, every: .milliseconds(1000 / self.rate)) {
                    if (try? await cluster.openJobs()) ?? 0 < Self.openMax {
                        let started = ContinuousClock.now
                        if await load.submit(access, file: trial.random(0...9) == 0 ? "chunked.csv" : "small.csv") != nil {
                            self.samples.latency("CreateDatasetImportJob", started.duration(to: .now))
                        }
                    }
                }
                return [:]
            }
            group.addTask {
                try await self.until(end, every: .milliseconds(500)) {
                    await self.delete(load, cluster)
                }
                return [:]
            }
            group.addTask {
                try await self.until(end, every: self.interval) { await self.samples.take(cluster, load) }
                return [:]
            }
            group.addTask { try await self.faults(trial, withdrawn, until: end) }
            return try await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
        }
        for (fault, count) in counts.sorted(by: { $0.key < $1.key }) { trial.injected("\(fault) ×\(count)") }
        for member in cluster.workers + ["api", "authority", "broker"] { cluster.resume(member) }
        try await trial.waitForSuccess(limit: .seconds(600))
        try await withdrawn.check()
        trial.saw("\(samples.deleted) imports had succeeded and were deleted meanwhile")
        try await trial.wait(until: "the outbox to drain") { try await cluster.count("SELECT count(*) AS n FROM outbox") == 0 }
        let growing = SoakVerdict(samples).growing
        try trial.expect(growing.isEmpty, "not flat: " + growing.joined(separator: "; "))
        trial.saw("\(samples.count) samples; what was long enough to be judged is flat")
    }

    private func until(
        _ end: ContinuousClock.Instant, every pause: Duration, _ body: @Sendable () async throws -> Void
    ) async throws {
        while ContinuousClock.now < end {
            try Task.checkCancellation()
            let next = ContinuousClock.now + pause
            try await body()
            try await Task.sleep(until: next, clock: .continuous)
        }
    }

    /// Deletes imports that have succeeded, as a customer would who has newer ones. Nothing that has not succeeded is forgotten.
    private func delete(_ load: ChaosLoad, _ cluster: ChaosCluster) async {
        let before = AWSTimestamp.extended(Date().addingTimeInterval(-Double(Self.keptFor.components.seconds)))
        let old = load.accepted.filter { $0.time < before }.prefix(50).map(\.arn)
        guard !old.isEmpty,
            let rows = try? await cluster.jobs.query(
                "SELECT arn FROM resources WHERE arn = ANY(\(Array(old))) AND status = 'ACTIVE'")
        else { return }
        for row in rows {
            guard let arn = try? row.get("arn", as: String.self) else { continue }
            load.forget(arn)
            let answer = try? await load.client.call(
                .forecast, "DeleteDatasetImportJob", ["DatasetImportJobArn": .string(arn)])
            if answer != nil { samples.countDeletion() }
        }
    }

    private func faults(
        _ trial: ChaosTrial, _ withdrawn: SoakWithdrawals, until end: ContinuousClock.Instant
    ) async throws -> [String: Int] {
        let cluster = trial.cluster
        var counts: [String: Int] = [:]
        let mortal = Array(cluster.workers.dropFirst())
        while ContinuousClock.now < end {
            try? await Task.sleep(for: trial.random(milliseconds: pause / 2...pause * 3 / 2))
            if ContinuousClock.now >= end { break }
            let worker = mortal[trial.random(0...mortal.count - 1)]
            switch trial.random(0...19) {
            case 0...4:
                cluster.supervisor.child(worker)?.signal(SIGKILL)
                counts["kill -9 worker", default: 0] += 1
            case 5...7:
                cluster.supervisor.child(worker)?.signal(SIGTERM)
                counts["SIGTERM worker", default: 0] += 1
            case 8...10:
                let child = cluster.supervisor.child(worker)
                child?.signal(SIGSTOP)
                try? await Task.sleep(for: trial.random(milliseconds: 500...6000))
                child?.signal(SIGCONT)
                counts["stopped worker", default: 0] += 1
            case 11...17: counts[try await withdrawn.happen(), default: 0] += 1
            // Seldom, so that each of them lives long enough to be seen to be flat.
            case 18:
                cluster.supervisor.child("broker")?.signal(SIGKILL)
                counts["kill -9 broker", default: 0] += 1
            default:
                let name = ["api", "authority"][trial.random(0...1)]
                cluster.supervisor.child(name)?.signal(SIGKILL)
                counts["kill -9 \(name)", default: 0] += 1
            }
        }
        return counts
    }
}

/// Keys that are withdrawn in the middle of a job and given back: jobs under them fail or were quicker, and nothing is left.
final class SoakWithdrawals: Sendable {
    private let trial: ChaosTrial
    private let access: DemoCustomer.Access
    private let dataset: String
    private let state = Mutex((number: 0, jobs: [String](), failed: 0))

    init(_ trial: ChaosTrial) async throws {
        self.trial = trial
        access = try await trial.load.access("Withdrawn")
        dataset = try await trial.load.dataset("withdrawn", access)
    }

    /// One job, and one act against it. Gives what was done.
    func happen() async throws -> String {
        let load = trial.load
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        let act = ["RevokeGrant", "DisableKey"][trial.random(0...1)]
        let created = try? await load.client.call(
            .forecast, "CreateDatasetImportJob",
            [
                "DatasetImportJobName": .string("withdrawn_\(number)"), "DatasetArn": .string(dataset),
                "TimestampFormat": "yyyy-MM-dd HH:mm:ss",
                "DataSource": [
                    "S3Config": ["Path": .string("s3://\(load.bucket)/chunked.csv"), "RoleArn": .string(access.role)]
                ],
            ])
        guard let arn = created?["DatasetImportJobArn"]?.stringValue else { return "a withdrawal without a job" }
        state.withLock { $0.jobs.append(arn) }
        let grant = try? await trial.wait(for: "the job's grant", limit: .seconds(20), every: .milliseconds(5)) {
            try await trial.cluster.jobs.query(
                """
                SELECT g.grant_id FROM job_grant g JOIN job j ON j.id = g.job
                WHERE j.resource = \(arn) AND g.state = 'active' AND g.grant_id IS NOT NULL
                """
            ).first?.get("grant_id", as: String.self)
        }
        var done = "\(act) too late"
        if let grant, act == "RevokeGrant" {
            let answer = try? await load.client.call(.kms, act, ["KeyId": .string(access.key), "GrantId": .string(grant)])
            if answer != nil { done = act }
        } else if act == "DisableKey" {
            if (try? await load.client.call(.kms, act, ["KeyId": .string(access.key)])) != nil { done = act }
        }
        // A key that is given back too early would let the job go on.
        let ended = try? await trial.wait(for: "the job to end", limit: .seconds(60), every: .milliseconds(50)) {
            try await trial.cluster.jobs.query(
                "SELECT status FROM resources WHERE arn = \(arn) AND status NOT IN ('CREATE_PENDING', 'CREATE_IN_PROGRESS')"
            ).first?.get("status", as: String.self)
        }
        if ended == "CREATE_FAILED" { state.withLock { $0.failed += 1 } }
        if act == "DisableKey" {
            for _ in 1...20 where (try? await load.client.call(.kms, "EnableKey", ["KeyId": .string(access.key)])) == nil {}
        }
        if ended != nil {
            _ = try? await load.client.call(.forecast, "DeleteDatasetImportJob", ["DatasetImportJobArn": .string(arn)])
        }
        return done
    }

    /// Whatever is left of these jobs has ended.
    func check() async throws {
        let (jobs, failed) = state.withLock { ($0.jobs, $0.failed) }
        try await trial.wait(until: "the jobs whose keys were withdrawn to end") {
            try await trial.cluster.count(
                "SELECT count(*) AS n FROM job WHERE resource = ANY(\(jobs)) AND finished_at IS NULL") == 0
        }
        trial.saw("\(failed) of \(jobs.count) jobs failed when their key was withdrawn; the others were quicker")
    }
}
