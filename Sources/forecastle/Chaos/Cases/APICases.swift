import AWSProtocol
import FaultInjection
import Glibc
import Kafka
import Postgres

/// Case 4.
struct APIKilledAfterCommit: ChaosCase {
    let number = 4
    let title = "API killed after its commit, before its reply"
    let injects = "the reply is swallowed and the API killed once the job is in the database; the client asks again"
    let expects = "ResourceAlreadyExistsException, one job, Describe shows it"
    let isQuick = true

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.routes = [.clientAPI]
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        cluster.proxy(.clientAPI).set(Toxics(ending: .blackHole), .down)
        let first = Task { try await load.create("told_nothing", access, by: load.once) }
        let arn = try await trial.wait(for: "the job to be in the database", every: .milliseconds(5)) {
            try await cluster.jobs.query("SELECT resource FROM job WHERE resource LIKE '%/told_nothing'").first.map {
                try $0.get("resource", as: String.self)
            }
        }
        let api = try await cluster.kill9("api")
        trial.injected("API killed after it committed \(arn)")
        if case .success = await first.result { throw ChaosFailure(description: "the client was answered") }
        cluster.proxy(.clientAPI).heal()
        try await cluster.waitForNext("api", after: api)
        // At once, while the import may still be at work on the dataset: a name that is taken goes before a parent that is busy.
        do {
            _ = try await load.create("told_nothing", access, by: load.client)
            throw ChaosFailure(description: "the same name was accepted twice")
        } catch let failure as EnvironmentClient.Failure {
            try trial.expect(failure.error.code == "ResourceAlreadyExistsException", "asked again: \(failure)")
        }
        let jobs = try await cluster.count("SELECT count(*) AS n FROM job WHERE resource = \(arn)")
        try trial.expect(jobs == 1, "there are \(jobs) jobs")
        // Accepted as far as the database knows: it must not be lost either.
        load.accept(arn)
        try await trial.waitForSuccess()
        let (status, _) = try await DemoSteps.status(arn, load.client)
        try trial.expect(status == "ACTIVE", "Describe says \(status)")
        trial.saw("asked again: ResourceAlreadyExistsException; Describe says ACTIVE")
    }
}

/// Case 5.
struct APIKilledBeforeCommit: ChaosCase {
    let number = 5
    let title = "API killed before its commit"
    let injects = "the API killed while its transaction waits for a lock"
    let expects = "no resource, no job, no outbox row, no grant; the same name is free"
    let isQuick = true

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        let grants = try await grantCount(cluster)
        let api = try cluster.child("api")
        let first = try await cluster.superuser.withConnection { connection in
            _ = try await connection.query("BEGIN")
            // What it does to resources waits for this. (The job itself, the doorbell and COMMIT go in one message, and a server
            // that has that may carry it out whoever is gone: from there on the request is one whose answer was lost.)
            _ = try await connection.query("LOCK TABLE resources IN EXCLUSIVE MODE")
            let first = Task { try await load.create("never_was", access, by: load.once) }
            try await trial.wait(until: "the API's transaction to wait for the lock", every: .milliseconds(10)) {
                // What another role's session waits for, only the superuser sees.
                try await !cluster.superuser.query(
                    """
                    SELECT 1 FROM pg_stat_activity WHERE application_name = 'forecastle api' AND wait_event_type = 'Lock'
                    """
                ).isEmpty
            }
            try await cluster.kill9("api")
            _ = try await connection.query("ROLLBACK")
            return first
        }
        trial.injected("API killed inside its transaction")
        if case .success = await first.result { throw ChaosFailure(description: "the client was answered") }
        try await cluster.waitForNext("api", after: api)
        try await trial.wait(until: "the dead API's session to end") {
            try await cluster.count(
                "SELECT count(*) AS n FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'resources' AND NOT l.granted"
            ) == 0
        }
        let left = try await cluster.count(
            """
            SELECT (SELECT count(*) FROM resources WHERE arn LIKE '%/never_was') + (SELECT count(*) FROM job)
                 + (SELECT count(*) FROM outbox) AS n
            """)
        try trial.expect(left == 0, "\(left) rows are left of a request that was never answered")
        try trial.expect(try await grantCount(cluster) == grants, "a grant is left of a request that was never answered")
        let arn = try await load.create("never_was", access, by: load.client)
        try await trial.waitForSuccess()
        trial.saw("nothing was left; the same name was then accepted as \(arn)")
    }

    private func grantCount(_ cluster: ChaosCluster) async throws -> Int {
        try await cluster.authority.query("SELECT count(*) AS n FROM key_grants").first?.get("n") ?? 0
    }
}

/// Case 6.
struct RelayKilledBeforeMarking: ChaosCase {
    let number = 6
    let title = "relay killed after the broker's acknowledgement, before it is marked sent"
    let injects = "the outbox row locked until the relay's DELETE waits for it; the relay's process and its session killed"
    let expects = "the message is published again after the claim's lease; the job has one result"
    let limit: Duration = .seconds(300)

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        try await trial.wait(until: "the outbox to be empty") { try await cluster.count("SELECT count(*) AS n FROM outbox") == 0 }
        // The acknowledgement comes late, so that there is a moment between claim and DELETE.
        try await cluster.order("rtt 2000")
        _ = try await load.create("published_twice", access, by: load.client)
        let relay = try await cluster.superuser.withConnection { connection in
            _ = try await connection.query("BEGIN")
            try await trial.wait(until: "a relay to claim the doorbell", every: .milliseconds(5)) {
                try await connection.query("SELECT id FROM outbox WHERE claim IS NOT NULL FOR UPDATE SKIP LOCKED").isEmpty
                    == false
            }
            let waiting = try await trial.wait(for: "the relay's DELETE to wait", every: .milliseconds(10)) {
                try await cluster.superuser.query(
                    """
                    SELECT pid, application_name FROM pg_stat_activity
                    WHERE wait_event_type = 'Lock' AND query LIKE 'DELETE FROM outbox%'
                    """
                ).first
            }
            let name: String = try waiting.get("application_name")
            let victims = name.hasSuffix("api") ? ["api"] : cluster.workers
            for victim in victims { try await cluster.kill9(victim) }
            // Its session would go on: the server reads of the client's end only when it answers.
            _ = try await connection.query("SELECT pg_terminate_backend(\(try waiting.get("pid", as: Int32.self)))")
            _ = try await connection.query("ROLLBACK")
            return name
        }
        trial.injected("killed the relay of \(relay) between acknowledgement and DELETE")
        try await cluster.order("rtt 0")
        let left = try await cluster.count("SELECT count(*) AS n FROM outbox")
        try trial.expect(left > 0, "the row is gone although its DELETE never happened")
        try await trial.waitForSuccess()
        try await trial.wait(until: "the outbox to be drained by another relay") {
            try await cluster.count("SELECT count(*) AS n FROM outbox") == 0
        }
        trial.saw("\(left) rows were published again")
    }
}
