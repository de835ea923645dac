import AWSProtocol
import FaultInjection
import Foundation
import Glibc
import Postgres

/// Case 34.
struct WorkerPartitioned: ChaosCase {
    let number = 34
    let title = "worker cut off from PostgreSQL"
    let injects = "black hole between one worker and the database: its requests, the answers, then both, three leases each"
    let expects = "it stops writing by its own clock; another takes over; nothing doubled"
    let limit: Duration = .seconds(400)

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.routes = [.workerPostgres]
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        let proxy = cluster.proxy(.workerPostgres)
        let worker = try cluster.child("worker-1")
        try await load.steadily(access, on: cluster, every: .milliseconds(150)) {
            for directions in [[FaultProxy.Direction.up], [.down], [.up, .down]] {
                try await trial.wait(until: "worker-1 to hold a task", every: .milliseconds(10)) {
                    try await cluster.count(
                        "SELECT count(*) AS n FROM job_task WHERE state = 'running' AND worker LIKE \("worker-\(worker.pid)-%")")
                        > 0
                }
                for direction in directions { proxy.set(Toxics(ending: .blackHole), direction) }
                let began = ContinuousClock.now
                while began.duration(to: .now) < ChaosSetup.lease * 3 { try await Task.sleep(for: .milliseconds(100)) }
                // Whatever it held is another's or ended: its lease is over, and it cannot have renewed it.
                let held = try await cluster.count(
                    """
                    SELECT count(*) AS n FROM job_task WHERE state = 'running' AND worker LIKE \("worker-\(worker.pid)-%")
                      AND lease_until > clock_timestamp()
                    """)
                proxy.heal()
                trial.injected(
                    "black hole \(directions.map(\.rawValue).joined(separator: " and ")) for \(began.duration(to: .now).rounded)")
                // Answers alone lost, its renewals still arrive until the connection is given up.
                if directions.contains(.up) { try trial.expect(held == 0, "it holds \(held) live leases behind a black hole") }
            }
        }
        try await trial.waitForSuccess()
        try trial.expect(!worker.hasEnded, "worker-1 ended")
    }
}

/// Case 35.
struct StoreAway: ChaosCase {
    let number = 35
    let title = "the artifact store out of reach"
    let injects = "strace makes every open of a worker's stores answer EIO for some seconds"
    let expects = "tried again under the same lease; no half object is seen; done when it is back"
    let needs: [ChaosNeed] = [.root, .program("strace")]

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        guard let strace = ChaosNeed.path(of: "strace") else { throw ChaosSkip(description: "strace is not installed") }
        try await trial.load.steadily(access, on: cluster) {
            try await trial.wait(until: "jobs to succeed") { try await trial.succeeded() > 0 }
            var tracers: [ChildProcess] = []
            defer { for tracer in tracers { tracer.signal(SIGTERM) } }
            for name in cluster.workers {
                tracers.append(
                    try await ChildProcess.start(
                        name: "strace", executable: strace,
                        arguments: [
                            "-qq", "-f", "-e", "trace=openat2", "-e", "inject=openat2:error=EIO", "-p",
                            "\(try cluster.child(name).pid)",
                        ],
                        environment: ["PATH": "/usr/bin:/bin"], log: cluster.folder.log("strace")))
            }
            try await trial.wait(until: "calls to fail", limit: .seconds(60)) { cluster.log("strace").contains("INJECTED") }
            let failing = try await trial.wait(for: "tasks to be tried again", limit: .seconds(60)) {
                let count = try await cluster.count("SELECT coalesce(sum(failures), 0) AS n FROM job_task")
                return count > 2 ? count : nil
            }
            for tracer in tracers { await tracer.stop(grace: .seconds(10)) }
            trial.injected("openat2 answered EIO in all workers; \(failing) attempts failed")
        }
        try await trial.waitForSuccess()
        let losses = try await cluster.count("SELECT coalesce(sum(losses), 0) AS n FROM job_task")
        trial.saw("\(losses) leases lost")
        let half = try await cluster.count(
            "SELECT count(*) AS n FROM job_object o JOIN job j ON j.id = o.job WHERE j.state = 'succeeded' AND o.state IN ('reserved', 'durable')"
        )
        try trial.expect(half == 0, "\(half) objects of succeeded jobs are half done")
    }
}

/// Case 36.
struct BadNetwork: ChaosCase {
    let number = 36
    let title = "a bad network"
    let injects = "latency and jitter, 1 Mbit/s, slices of a byte, stalls and resets behind k bytes, at PostgreSQL and KMS"
    let expects = "bounded waits; no corrupt result"
    let limit: Duration = .seconds(600)

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.routes = [.workerPostgres, .workerAuthority, .clientAPI]
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        let toxics: [(String, Toxics)] = [
            ("200 ms ± 100 ms", Toxics(latency: .milliseconds(200), jitter: .milliseconds(100))),
            ("1 Mbit/s", Toxics(bytesPerSecond: 125_000)), ("slices of 1 byte", Toxics(sliceBytes: 1)),
            ("stall behind 20,000 bytes", Toxics(ending: .stall, endingAfterBytes: 20_000)),
            ("reset behind 10,000 bytes", Toxics(ending: .reset, endingAfterBytes: 10_000)),
            ("closed behind 5,000 bytes", Toxics(ending: .close, endingAfterBytes: 5_000)),
        ]
        let proxies = [ChaosRoute.workerPostgres, .workerAuthority, .clientAPI].map(cluster.proxy)
        try await load.steadily(access, on: cluster) {
            for (name, toxic) in trial.shuffled(toxics) {
                for proxy in proxies { proxy.set(toxic, .up, .down) }
                let began = ContinuousClock.now
                while began.duration(to: .now) < .seconds(6) { try await Task.sleep(for: .milliseconds(100)) }
                for proxy in proxies {
                    proxy.heal()
                    // What stalled goes on or is gone: a connection in the middle of nothing is no part of the fault.
                    if toxic.ending != nil { proxy.resetAll() }
                }
                trial.injected(name)
                let before = try await trial.succeeded()
                try await trial.wait(until: "jobs to succeed behind it") { try await trial.succeeded() > before }
            }
        }
        try await trial.waitForSuccess()
    }
}

/// Case 37.
struct SlowClients: ChaosCase {
    let number = 37
    let title = "slow clients"
    let injects = "300 connections to the API that send a byte of a header every 2 s, 300 that send nothing"
    let expects = "closed at their deadlines; other clients are served meanwhile"
    let reach = ChaosReach.cluster
    private static let slow = 300
    private static let idle = 300

    func run(_ trial: ChaosTrial) async throws {
        let load = trial.load
        let access = try await load.prepare()
        let quiet = try await latency(load)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        try trial.expect(limit.rlim_cur > 1024, "this process may not have enough descriptors")
        let endpoint = try WireEndpoint(load.client.variable("AWS_ENDPOINT_URL_FORECAST"))
        let sockets = try (0..<(Self.slow + Self.idle)).map { _ in try RawSocket(port: endpoint.port) }
        for socket in sockets { socket.neverWait() }
        let slow = sockets.prefix(Self.slow)
        let began = ContinuousClock.now
        for socket in slow { socket.send("POST / HTTP/1.1\r\nHost: ") }
        var worst: Duration = .zero
        var closedAfter: Duration?
        while began.duration(to: .now) < .seconds(90) {
            for socket in slow where !socket.isClosed { socket.send("x") }
            let start = ContinuousClock.now
            worst = max(worst, try await latency(load))
            let closed = slow.filter(\.isClosed).count
            if closed == Self.slow {
                closedAfter = began.duration(to: .now)
                break
            }
            while start.duration(to: .now) < .seconds(2) { try await Task.sleep(for: .milliseconds(100)) }
        }
        trial.injected("\(Self.slow) slow and \(Self.idle) silent connections")
        guard let closedAfter else {
            throw ChaosFailure(description: "\(slow.filter { !$0.isClosed }.count) slow connections are open after 90 s")
        }
        try await trial.wait(until: "the silent ones to be closed", limit: .seconds(120), every: .milliseconds(500)) {
            sockets.allSatisfy(\.isClosed)
        }
        trial.saw("slow ones closed after \(closedAfter.rounded), all after \(began.duration(to: .now).rounded)")
        trial.saw("median answer \(quiet) before, worst median \(worst) meanwhile")
        try trial.expect(worst < .seconds(5), "healthy clients waited \(worst.rounded)")
        _ = await load.submit(access)
        try await trial.waitForSuccess()
    }

    /// Median of a few calls.
    private func latency(_ load: ChaosLoad) async throws -> Duration {
        var times: [Duration] = []
        for _ in 0..<5 {
            let start = ContinuousClock.now
            _ = try await load.once.call(.forecast, "ListDatasets", ["MaxResults": 1])
            times.append(start.duration(to: .now))
        }
        return times.sorted()[2]
    }
}
