import Foundation
import Glibc
import Jobs
import Postgres
import Verification

/// Case 1.
struct WorkerKilledAnywhere: ChaosCase {
    let number = 1
    let title = "worker killed at every fault point"
    let injects = "kill -9 of a worker at each named point, by count"
    let expects = "another goes on behind the last durable chunk; nothing lost or doubled"
    let limit: Duration = .seconds(900)
    private static let attemptsMax = 40

    func run(_ trial: ChaosTrial) async throws {
        let access = try await trial.load.prepare()
        var points: [FaultPoint] = [
            .taskClaimed, .planned, .grantIntended, .grantCreated, .grantRecorded, .objectReserved, .chunkBeforeRecord,
            .chunkRecorded, .taskBeforeFinish, .manifestWritten, .manifestRecorded, .grantsRetired, .published,
        ]
        points = trial.shuffled(points)
        for point in points {
            // The later the count, the more of the job is done when it happens.
            let repeats = [.objectReserved, .chunkBeforeRecord, .chunkRecorded].contains(point)
            let count = repeats ? trial.random(1...3) : 1
            let worker = try await trial.cluster.restart("worker-1", faults: "\(point):\(count)=kill")
            // The other one takes jobs too: one after the other, until the point was reached.
            for attempt in 1... {
                try trial.expect(attempt <= Self.attemptsMax, "\(point) was not reached in \(attempt) jobs")
                if await trial.load.submit(access) == nil { continue }
                try await trial.wait(until: "the job to end or the worker to die", every: .milliseconds(20)) {
                    if worker.hasEnded { return true }
                    return try await trial.cluster.openJobs() == 0
                }
                if worker.hasEnded { break }
            }
            let died = ContinuousClock.now
            let status = await worker.wait()
            try trial.expect(status & 0x7F == SIGKILL, "worker-1 \(ChildProcess.describe(status)) at \(point)")
            trial.injected("\(point):\(count)")
            try await trial.waitForEnd()
            trial.saw("\(point): all ended \(died.duration(to: .now).rounded) after the kill")
        }
        try await trial.waitForSuccess()
    }
}

/// Case 2.
struct WorkerPausedPastItsLease: ChaosCase {
    let number = 2
    let title = "worker paused past its lease"
    let injects = "SIGSTOP behind a chunk for three leases, then SIGCONT"
    let expects = "another finishes; the woken one fails its fence and stops"
    let isQuick = true

    func run(_ trial: ChaosTrial) async throws {
        try await PausedWorker(point: .chunkRecorded).run(trial)
    }
}

/// Case 3.
struct WorkerPausedBeforeItsCommit: ChaosCase {
    let number = 3
    let title = "worker paused between its lease check and its commit"
    let injects = "SIGSTOP before the task's last write and before the job's publication, then SIGCONT"
    let expects = "the late write changes no row; one result"
    let limit: Duration = .seconds(400)

    func run(_ trial: ChaosTrial) async throws {
        for point in [FaultPoint.taskBeforeFinish, .grantsRetired] { try await PausedWorker(point: point).run(trial) }
    }
}

/// Case 49.
struct PausedInAnUpload: ChaosCase {
    let number = 49
    let title = "attempt paused inside an upload"
    let injects = "SIGSTOP between an object's last byte and its row; another attempt publishes; SIGCONT"
    let expects = "write-once names: nothing is overwritten, what is late is published by nobody"

    func run(_ trial: ChaosTrial) async throws {
        try await PausedWorker(point: .chunkBeforeRecord).run(trial)
        let late = try await trial.cluster.count(
            """
            SELECT count(*) AS n FROM job_object o JOIN job j ON j.id = o.job
            WHERE j.state = 'succeeded' AND o.state NOT IN ('published', 'garbage')
            """)
        try trial.expect(late == 0, "\(late) objects of succeeded jobs are neither published nor left to the collector")
        let garbage = try await trial.cluster.count("SELECT count(*) AS n FROM job_object WHERE state = 'garbage'")
        try trial.expect(garbage > 0, "the late attempt's object is not left to the collector")
        trial.saw("\(garbage) late objects are left to the collector")
    }
}

/// A worker that stops itself at a point, and wakes when its job is long done by another.
private struct PausedWorker {
    let point: FaultPoint

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access =
            trial.load.accepted.isEmpty
            ? try await trial.load.prepare() : try await trial.load.customer.access("Again\(trial.random(1...999_999))")
        let dataset = try await trial.load.dataset("paused_\(trial.random(1...999_999))", access)
        let worker = try await cluster.restart("worker-1", faults: "\(point)=stop")
        let before = cluster.lostLeases("worker-1")
        for attempt in 1... {
            try trial.expect(attempt <= 40, "\(point) was not reached")
            _ = try await trial.load.create("paused_\(attempt)", dataset: dataset, access, by: trial.load.client)
            try await trial.wait(until: "the job to end or the worker to stop", every: .milliseconds(20)) {
                if ClusterProcesses.state(of: worker.pid) == "T" { return true }
                return try await cluster.openJobs() == 0
            }
            if ClusterProcesses.state(of: worker.pid) == "T" { break }
        }
        trial.injected("SIGSTOP at \(point)")
        let stopped = ContinuousClock.now
        try await trial.waitForSuccess()
        // Not before three leases have passed: by then nobody may believe in the old one.
        try await trial.wait(until: "three leases to pass", limit: .seconds(60)) {
            stopped.duration(to: .now) > ChaosSetup.lease * 3
        }
        let published = try await state(cluster)
        cluster.resume("worker-1")
        try await trial.wait(until: "the woken worker to see that it lost its lease") {
            cluster.lostLeases("worker-1") > before
        }
        try trial.expect(try await state(cluster) == published, "the woken worker changed what was published")
        try trial.expect(!worker.hasEnded, "the woken worker ended")
        trial.saw("woken after \(stopped.duration(to: .now).rounded): it lost its lease and changed nothing")
    }

    private func state(_ cluster: ChaosCluster) async throws -> [String] {
        try await cluster.jobs.query(
            """
            SELECT j.resource || ' ' || j.state || ' ' || coalesce(j.manifest_object, '') || ' ' ||
                   coalesce((SELECT string_agg(o.name, ',' ORDER BY o.name) FROM job_object o
                             WHERE o.job = j.id AND o.state = 'published'), '') AS line
            FROM job j ORDER BY 1
            """
        ).map { try $0.get("line") }
    }
}

/// Case 12.
struct PoisonJob: ChaosCase {
    let number = 12
    let title = "poison job"
    let injects = "a job at which every worker dies, each time"
    let expects = "after N lost leases it fails with a reason; the fleet lives on"
    let limit: Duration = .seconds(400)

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.flags["worker"] = ["--worker-attempts-max=3"]
        setup.flags["api"] = ["--worker-attempts-max=3"]
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        for worker in cluster.workers {
            cluster.faults.plan("chunk.before-record=kill", for: worker, stays: true)
            let old = try await cluster.running(worker)
            await old.stop(grace: .seconds(30))
            try await cluster.waitForNext(worker, after: old)
        }
        guard let poison = await trial.load.submit(access) else { throw ChaosFailure(description: "the poison job was refused") }
        let row = try await trial.wait(for: "the poison job to fail", limit: .seconds(240)) {
            try await cluster.jobs.query(
                "SELECT state, message FROM job WHERE resource = \(poison) AND finished_at IS NOT NULL"
            ).first
        }
        try trial.expect(try row.get("state", as: String.self) == "failed", "the poison job did not fail")
        let message: String = try row.get("message")
        let losses = try await cluster.count("SELECT coalesce(max(losses), 0) AS n FROM job_task")
        trial.injected("workers killed at each attempt, \(losses) leases lost by one task")
        trial.saw("dead letter: \(message)")
        for worker in cluster.workers { cluster.faults.clear(worker) }
        for worker in cluster.workers {
            // One that was started with the fault would die of the next job, too.
            guard let old = cluster.supervisor.child(worker) else { continue }
            await old.stop(grace: .seconds(30))
            try await cluster.waitForNext(worker, after: old)
        }
        guard let next = await trial.load.submit(access) else { throw ChaosFailure(description: "the next job was refused") }
        try await trial.wait(until: "the next job to succeed") {
            try await cluster.count("SELECT count(*) AS n FROM job WHERE resource = \(next) AND state = 'succeeded'") == 1
        }
        trial.saw("the next job succeeded")
    }
}

extension Duration {
    /// `1.2 s`, for people.
    var rounded: String {
        let tenths = (components.seconds * 10) + components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
