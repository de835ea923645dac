import AWSProtocol
import Foundation
import Glibc
import Kafka
import Postgres
import Verification

/// Case 27.
struct BrokersDown: ChaosCase {
    let number = 27
    let title = "all brokers down"
    let injects = "every broker down for 15 s; then the outbox filled to its bound"
    let expects = "jobs are accepted and done; the outbox drains when the brokers are up; at its bound 503"

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        try await load.steadily(access, on: cluster, every: .milliseconds(200)) {
            try await trial.wait(until: "jobs to succeed") { try await trial.succeeded() > 1 }
            try await cluster.order("down")
            let began = ContinuousClock.now
            let before = try await trial.succeeded()
            let accepted = load.accepted.count
            var most = 0
            while began.duration(to: .now) < .seconds(15) {
                most = max(most, try await cluster.count("SELECT count(*) AS n FROM outbox"))
                try await Task.sleep(for: .milliseconds(200))
            }
            let during = try await trial.succeeded() - before
            try await cluster.order("up")
            trial.injected("brokers down for \(began.duration(to: .now).rounded)")
            try trial.expect(most > 0, "the outbox stayed empty: the brokers were not missed")
            try trial.expect(load.accepted.count > accepted, "no job was accepted meanwhile")
            try trial.expect(during > 0, "no job succeeded without a doorbell")
            trial.saw(
                "meanwhile \(load.accepted.count - accepted) accepted, \(during) succeeded, at most \(most) rows in the outbox")
        }
        try await trial.wait(until: "the outbox to drain") { try await cluster.count("SELECT count(*) AS n FROM outbox") == 0 }
        // Full is what cannot be published: the rows are due, and nobody takes them.
        try await cluster.order("down")
        _ = try await cluster.superuser.query(
            "INSERT INTO outbox (topic, payload) SELECT 'forecastle.filler', '{}' FROM generate_series(1, 100000)")
        try await trial.wait(until: "the API to shed load") {
            _ = await load.submit(access)
            return load.errors.contains { $0.status == 503 }
        }
        trial.injected("outbox filled with 100,000 rows")
        _ = try await cluster.superuser.query("DELETE FROM outbox WHERE topic = 'forecastle.filler'")
        try await cluster.order("up")
        let accepted = load.accepted.count
        try await trial.wait(until: "the API to accept again") {
            _ = await load.submit(access)
            return load.accepted.count > accepted
        }
        trial.saw("503 at the bound, accepted again below it")
        try await trial.waitForSuccess()
    }
}

/// Case 28.
struct ProduceErrors: ChaosCase {
    let number = 28
    let title = "errors of the broker"
    let injects = "not leader, timed out, too large, out of order, fenced producer, disconnects: in seeded order"
    let expects = "passing errors are tried again, fatal ones rebuild the client; no job is lost"

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        let answers = [
            "not-leader", "timed-out", "too-large", "disconnect", "fenced-producer", "out-of-order-sequence", "timed-out",
        ]
        try await load.steadily(access, on: cluster, every: .milliseconds(100)) {
            for name in trial.shuffled(answers) {
                try await cluster.order("answer produce \(name) \(name)")
                trial.injected("two produce requests answered: \(name)")
                let before = try await trial.succeeded()
                try await trial.wait(until: "jobs to succeed after \(name)") { try await trial.succeeded() > before + 1 }
            }
        }
        try await trial.waitForSuccess()
        try await trial.wait(until: "the outbox to drain", limit: .seconds(120)) {
            try await cluster.count("SELECT count(*) AS n FROM outbox") == 0
        }
        trial.saw("the outbox drained")
    }
}

/// Case 29.
struct MessagesRepeated: ChaosCase {
    let number = 29
    let title = "messages doubled, reordered, replayed"
    let injects = "every doorbell so far rung again ten times, in random order, while jobs run"
    let expects = "no second effect"
    let reach = ChaosReach.cluster

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        for _ in 0..<6 { _ = await load.submit(access) }
        try await trial.waitForSuccess()
        let before = try await effects(cluster)
        let jobs = try await cluster.jobs.query("SELECT id, kind FROM job").map {
            (id: try $0.get("id", as: UUID.self).uuidString.lowercased(), kind: try $0.get("kind", as: String.self))
        }
        let messages = trial.shuffled((0..<10).flatMap { _ in jobs })
        try await load.steadily(access, on: cluster) {
            try await cluster.produce { producer in
                for (id, kind) in messages {
                    try await producer.send(
                        topic: "forecastle.jobs.\(kind)", key: Array(id.utf8),
                        value: Array(#"{"job":"\#(id)","kind":"\#(kind)"}"#.utf8))
                }
            }
            trial.injected("\(messages.count) doorbells of ended jobs, shuffled")
            let succeeded = try await trial.succeeded()
            try await trial.wait(until: "new jobs to succeed") { try await trial.succeeded() > succeeded }
        }
        try await trial.waitForSuccess()
        let after = try await effects(cluster)
        try trial.expect(before.allSatisfy { after[$0.key] == $0.value }, "a job that had ended changed")
        trial.saw("\(before.count) ended jobs stayed as they were")
    }

    private func effects(_ cluster: ChaosCluster) async throws -> [String: String] {
        var result: [String: String] = [:]
        for row in try await cluster.jobs.query(
            """
            SELECT j.resource, (SELECT string_agg(t.role || t.attempts || t.fence, ',' ORDER BY t.id) FROM job_task t
                                WHERE t.job = j.id) AS tasks
            FROM job j WHERE j.finished_at IS NOT NULL
            """)
        {
            result[try row.get("resource")] = try row.get("tasks", as: String.self)
        }
        return result
    }
}

/// Case 30.
struct BrokerLost: ChaosCase {
    let number = 30
    let title = "the broker's data gone"
    let injects = "kill -9 of the broker under load, which holds everything in memory; a new, empty one"
    let expects = "due jobs are found in PostgreSQL; producers and consumers find the new one"
    let isQuick = true

    func run(_ trial: ChaosTrial) async throws {
        let cluster = trial.cluster
        let access = try await trial.load.prepare()
        try await trial.load.steadily(access, on: cluster, every: .milliseconds(100)) {
            for _ in 1...2 {
                let before = try await trial.succeeded()
                try await trial.wait(until: "jobs to succeed") { try await trial.succeeded() > before }
                let old = try await cluster.kill9("broker")
                trial.injected("kill -9 of broker \(old.pid)")
                try await cluster.waitForNext("broker", after: old)
                let began = ContinuousClock.now
                let then = try await trial.succeeded()
                try await trial.wait(until: "jobs to succeed with the new broker") { try await trial.succeeded() > then + 1 }
                trial.saw("jobs succeeded \(began.duration(to: .now).rounded) after it")
            }
        }
        try await trial.waitForSuccess()
        try await trial.wait(until: "the outbox to drain into the new broker") {
            try await cluster.count("SELECT count(*) AS n FROM outbox") == 0
        }
    }
}

/// Case 31.
struct RebalanceStorm: ChaosCase {
    let number = 31
    let title = "rebalance every two seconds"
    let injects = "heartbeats answered with a rebalance, the coordinator moved, commits refused, every 2 s while long jobs run"
    let expects = "no standstill; work goes on under its lease in the database"

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.brokers = 3
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        try load.put("long.csv", items: 1500)
        let group = "forecastle-workers-backtest-export-forecast-forecast-export-import-train"
        try await load.steadily(access, on: cluster) {
            _ = try? await load.create("long", file: "long.csv", access, by: load.client)
            for round in 1...8 {
                try await cluster.order("answer heartbeat rebalancing rebalancing rebalancing rebalancing")
                try await cluster.order("answer offset-commit not-coordinator rebalancing")
                try await cluster.order("coordinator \(group) \(round % 3 + 1)")
                let end = ContinuousClock.now + .seconds(2)
                while ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(100)) }
            }
            trial.injected("8 rebalances, commits refused, coordinator moved 8 times")
            let before = try await trial.succeeded()
            try await trial.wait(until: "jobs to succeed") { try await trial.succeeded() > before }
        }
        try await trial.waitForSuccess()
        let lost = try await cluster.count("SELECT coalesce(sum(losses), 0) AS n FROM job_task")
        try trial.expect(lost == 0, "\(lost) leases were lost to rebalances")
        trial.saw("no lease was lost")
    }
}

/// Case 32.
struct WorkerOutOfItsGroup: ChaosCase {
    let number = 32
    let title = "a worker leaves its group by silence"
    let injects = "SIGSTOP past the group's session, then SIGCONT; the other worker held down"
    let expects = "it joins again and goes on with everything alone"

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        let session = KafkaConfiguration.embedded(bootstrap: .file(cluster.folder.brokerAddress), clientID: "chaos")
            .sessionTimeout
        for _ in 0..<3 { _ = await load.submit(access) }
        let worker = try cluster.child("worker-1")
        try cluster.pause("worker-1")
        let began = ContinuousClock.now
        while began.duration(to: .now) < session + .seconds(2) { try await Task.sleep(for: .milliseconds(200)) }
        cluster.resume("worker-1")
        trial.injected("worker-1 silent for \(began.duration(to: .now).rounded), its session is \(session.rounded)")
        try await trial.waitForSuccess()
        cluster.supervisor.hold("worker-2")
        try await cluster.kill9("worker-2")
        trial.injected("worker-2 gone")
        for _ in 0..<4 { _ = await load.submit(access) }
        try await trial.waitForSuccess()
        cluster.supervisor.letGo("worker-2")
        try trial.expect(!worker.hasEnded, "worker-1 ended")
        trial.saw("worker-1 did everything that came afterwards")
    }
}

/// Case 33.
struct GarbageMessages: ChaosCase {
    let number = 33
    let title = "garbage in the topics"
    let injects = "noise, truncated and empty messages, wrong schemas, forged jobs, one of 900 KB, on all topics"
    let expects = "no claim without a row, no process ends, jobs go on"
    let reach = ChaosReach.cluster
    let isQuick = true

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        // In a cluster that runs already, whoever keeps it notices an end.
        let processes = cluster.isOwn ? try (cluster.workers + ["api"]).map { try cluster.child($0) } : []
        let noise = (0..<200).map { _ in (0..<trial.random(0...300)).map { _ in UInt8(trial.random(0...255)) } }
        let forged = UUID().uuidString.lowercased()
        let texts = [
            "", "{", "[]", "null", "{\"job\":1}", "{\"job\":\"\(forged)\",\"kind\":\"import\"}", "{\"announcement\":[]}",
            "{\"announcement\":\"key\"}", String(repeating: "{", count: 10_000),
        ]
        let large = [UInt8](repeating: 0x7B, count: 900_000)
        try await load.steadily(access, on: cluster) {
            let count = try await cluster.produce { producer in
                var count = 0
                for topic in ["forecastle.jobs.import", "forecastle.jobs.train", "forecastle.control"] {
                    for message in noise + texts.map({ Array($0.utf8) }) + [large] {
                        try await producer.send(topic: topic, value: message)
                        count += 1
                    }
                }
                return count
            }
            trial.injected("\(count) messages of garbage")
            let before = try await trial.succeeded()
            try await trial.wait(until: "jobs to succeed behind the garbage") { try await trial.succeeded() > before + 1 }
        }
        try await trial.waitForSuccess()
        let unknown = try await cluster.count("SELECT count(*) AS n FROM job WHERE id::text = \(forged)")
        try trial.expect(unknown == 0, "a forged job came to be")
        for process in processes { try trial.expect(!process.hasEnded, "\(process.name) ended") }
        trial.saw("no process ended, no forged job")
    }
}
