import AWSProtocol
import FaultInjection
import Foundation
import Glibc
import Postgres
import Verification

/// Case 15.
struct PostgresKilled: ChaosCase {
    let number = 15
    let title = "PostgreSQL killed under load"
    let injects = "kill -9 of the postmaster, twice"
    let expects = "what was accepted is there; clients come back with backoff; commits in doubt are read again"
    let isQuick = true

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            for _ in 1...2 {
                let before = try await trial.wait(for: "the database to answer") { try await trial.succeeded() }
                try await trial.wait(until: "jobs to succeed") { try await trial.succeeded() > before }
                try await Task.sleep(for: trial.random(milliseconds: 0...500))
                let old = try await cluster.kill9("postgres")
                trial.injected("kill -9 of postmaster \(old.pid)")
                try await cluster.waitForNext("postgres", after: old)
                let began = ContinuousClock.now
                let then = try await trial.wait(for: "the database to recover") { try await trial.succeeded() }
                try await trial.wait(until: "jobs to succeed again") { try await trial.succeeded() > then }
                trial.saw("jobs succeeded again \(began.duration(to: .now).rounded) after the restart")
            }
        }
        try await trial.waitForSuccess()
    }
}

/// Case 16.
struct SessionsTerminated: ChaosCase {
    let number = 16
    let title = "sessions terminated at random"
    let injects = "pg_terminate_backend of random sessions of both databases for 15 s"
    let expects = "only what may be repeated is repeated; nothing doubled"

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            let end = ContinuousClock.now + .seconds(15)
            var count = 0
            while ContinuousClock.now < end {
                let sessions = try await cluster.superuser.query(
                    """
                    SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
                      AND application_name LIKE 'forecastle %' AND application_name <> 'forecastle chaos' ORDER BY pid
                    """
                ).map { try $0.get("pid", as: Int32.self) }
                if let victim = trial.shuffled(sessions).first {
                    _ = try await cluster.superuser.query("SELECT pg_terminate_backend(\(victim))")
                    count += 1
                }
                try await Task.sleep(for: trial.random(milliseconds: 20...200))
            }
            trial.injected("\(count) sessions terminated")
            try trial.expect(count > 20, "only \(count) sessions were there to be terminated")
        }
        try await trial.waitForSuccess()
    }
}

/// Case 17.
struct CommitAnswersLost: ChaosCase {
    let number = 17
    let title = "COMMIT executed, its answer lost"
    let injects = "a proxy resets the connection when the answer to COMMIT comes, at a worker and at the API"
    let expects = "the row is read to know; nothing inserted twice, no state lost"
    let isQuick = true

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.routes = [.workerPostgres, .apiPostgres]
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        let commit = Array("COMMIT\0".utf8)
        for number in 1...6 {
            let api = cluster.proxy(.apiPostgres)
            let before = api.severedAnswers
            api.severAnswers(to: commit, times: 1)
            let name = "in_doubt_\(number)"
            let first = try? await load.create(name, access, by: load.once)
            try await trial.wait(until: "the API's COMMIT to lose its answer") { api.severedAnswers > before }
            // Whatever the client was told, the name is taken once. While the dataset is imported into, it is not looked at.
            try await trial.wait(until: "the job to end") { try await cluster.openJobs() == 0 }
            do {
                _ = try await load.create(name, access, by: load.client)
                try trial.expect(first == nil, "\(name) was accepted twice")
            } catch let failure as EnvironmentClient.Failure {
                try trial.expect(failure.error.code == "ResourceAlreadyExistsException", "\(name) again: \(failure)")
            }
            let jobs = try await cluster.count("SELECT count(*) AS n FROM job WHERE resource LIKE \("%/" + name)")
            try trial.expect(jobs == 1, "\(jobs) jobs are named \(name)")
        }
        trial.injected("\(cluster.proxy(.apiPostgres).severedAnswers) answers to COMMITs of the API lost")
        let worker = cluster.proxy(.workerPostgres)
        try await load.steadily(access, on: cluster, every: .milliseconds(100)) {
            for round in 1...15 {
                worker.severAnswers(to: commit, times: 1)
                try await trial.wait(until: "the worker's COMMIT number \(round) to lose its answer", every: .milliseconds(20)) {
                    worker.severedAnswers >= round
                }
                try await Task.sleep(for: trial.random(milliseconds: 0...200))
            }
        }
        worker.heal()
        trial.injected("\(worker.severedAnswers) answers to COMMITs of a worker lost")
        try await trial.waitForSuccess()
    }
}

/// Case 18.
struct PostgresPaused: ChaosCase {
    let number = 18
    let title = "PostgreSQL stopped"
    let injects = "SIGSTOP of all its processes for 15 s under load"
    let expects = "requests end in 5xx; pools bounded; workers lose their leases by their own clock and pause; no herd after it"

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            try await trial.wait(until: "jobs to succeed") { try await trial.succeeded() > 1 }
            let stopped = cluster.postgresProcesses
            for pid in stopped { kill(pid, SIGSTOP) }
            let began = ContinuousClock.now
            // Nobody can be asked: what the API answers meanwhile is the load's to note.
            while began.duration(to: .now) < .seconds(15) { try await Task.sleep(for: .milliseconds(200)) }
            for pid in cluster.postgresProcesses { kill(pid, SIGCONT) }
            trial.injected("\(stopped.count) processes of PostgreSQL stopped for \(began.duration(to: .now).rounded)")
            let healed = ContinuousClock.now
            let before = try await trial.wait(for: "the database to answer") { try await trial.succeeded() }
            try await trial.wait(until: "jobs to succeed again") { try await trial.succeeded() > before }
            trial.saw("jobs succeeded again \(healed.duration(to: .now).rounded) after SIGCONT")
        }
        try await trial.waitForSuccess()
    }
}

/// Case 19.
struct PostgresDiskFull: ChaosCase {
    let number = 19
    let title = "PostgreSQL's disk full"
    let injects = "its memory file system filled to the last byte under load, then freed"
    let expects = "5xx and no partial effect; recovers by itself once there is room"
    let needs: [ChaosNeed] = [.root]

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.disks[.postgres] = 384 << 20
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        let hog = cluster.folder.postgres + "/hog"
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            try await trial.wait(until: "jobs to succeed") { try await trial.succeeded() > 1 }
            let descriptor = open(hog, O_WRONLY | O_CREAT, 0o600)
            try trial.expect(descriptor >= 0, "the hog cannot be made")
            defer { close(descriptor) }
            let block = [UInt8](repeating: 0, count: 64 << 10)
            var bytes = 0
            let end = ContinuousClock.now + .seconds(15)
            while ContinuousClock.now < end {
                // Whatever the server frees is taken, too.
                let written = write(descriptor, block, block.count)
                if written > 0 { bytes += written } else { try await Task.sleep(for: .milliseconds(50)) }
            }
            unlink(hog)
            ftruncate(descriptor, 0)
            trial.injected("disk full for 15 s, \(bytes >> 20) MiB taken")
            let log = cluster.log("postgres")
            try trial.expect(log.contains("No space left on device"), "the server did not notice that its disk was full")
            trial.saw(log.contains("PANIC") ? "the server panicked and recovered from its log" : "the server refused statements")
            let healed = ContinuousClock.now
            let before = try await trial.wait(for: "the database to answer") { try await trial.succeeded() }
            try await trial.wait(until: "jobs to succeed again") { try await trial.succeeded() > before }
            trial.saw("jobs succeeded again \(healed.duration(to: .now).rounded) after there was room")
        }
        try await trial.waitForSuccess()
    }
}

/// Case 20.
struct FsyncFails: ChaosCase {
    let number = 20
    let title = "fsync fails"
    let injects = "strace makes fsync and fdatasync of PostgreSQL's processes answer EIO once"
    let expects = "the server panics and recovers from its log; as a kill"
    let needs: [ChaosNeed] = [.root, .program("strace")]

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        guard let strace = ChaosNeed.path(of: "strace") else { throw ChaosSkip(description: "strace is not installed") }
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            try await trial.wait(until: "jobs to succeed") { try await trial.succeeded() > 1 }
            let targets = cluster.postgresProcesses.dropFirst().flatMap { ["-p", "\($0)"] }
            let tracer = try await ChildProcess.start(
                name: "strace", executable: strace,
                arguments: ["-qq", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=1"] + targets,
                environment: ["PATH": "/usr/bin:/bin"], log: cluster.folder.log("strace"))
            defer { tracer.signal(SIGKILL) }
            try await trial.wait(until: "the server to panic", limit: .seconds(60)) { cluster.log("postgres").contains("PANIC") }
            await tracer.stop(grace: .seconds(10))
            trial.injected("fsync answered EIO; the server panicked")
            let began = ContinuousClock.now
            let before = try await trial.wait(for: "the database to recover") { try await trial.succeeded() }
            try await trial.wait(until: "jobs to succeed again") { try await trial.succeeded() > before }
            trial.saw("jobs succeeded again \(began.duration(to: .now).rounded) after the panic")
        }
        try await trial.waitForSuccess()
    }
}
