import AWSProtocol
import Foundation
import Glibc
import Postgres

/// Case 41.
struct KeyWithdrawn: ChaosCase {
    let number = 41
    let title = "key withdrawn in the middle of a chunk"
    let injects = "RevokeGrant, DisableKey, ScheduleKeyDeletion while a worker is behind its second chunk"
    let expects = "CREATE_FAILED with KMS's reason; no use of the key behind the act; nothing published"
    let isQuick = true
    let limit: Duration = .seconds(400)

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.workers = 1
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        _ = try await load.prepare()
        for (number, act) in ["RevokeGrant", "DisableKey", "ScheduleKeyDeletion"].enumerated() {
            let access = try await load.customer.access("Withdrawn\(number)")
            let dataset = try await load.dataset("withdrawn_\(number)", access)
            let worker = try await cluster.restart("worker-1", faults: "chunk.recorded:2=stop")
            let arn = try await load.create("withdrawn", dataset: dataset, access, by: load.client)
            try await trial.wait(until: "the worker to be in the middle", every: .milliseconds(20)) {
                ClusterProcesses.state(of: worker.pid) == "T"
            }
            try await Withdrawal(act: act, key: access.key).happen(load)
            let acted = ContinuousClock.now
            cluster.resume("worker-1")
            let row = try await trial.wait(for: "the job to end", every: .milliseconds(10)) {
                try await cluster.jobs.query("SELECT state, message FROM job WHERE resource = \(arn) AND finished_at IS NOT NULL")
                    .first
            }
            trial.injected("\(act) behind the second chunk")
            let (state, message): (String, String?) = (try row.get("state"), try row.get("message", as: String?.self))
            try trial.expect(
                state == "failed" && message?.contains(access.key) == true, "\(act): the job is \(state): \(message ?? "")")
            trial.saw("\(act): failed \(acted.duration(to: .now).rounded) later")
            try await Withdrawal(act: act, key: access.key).check(trial, arn)
        }
    }
}

/// Case 54.
struct OtherKeyRevoked: ChaosCase {
    let number = 54
    let title = "a dataset's key revoked while a predictor under another key is trained"
    let injects = "the grant on the dataset's key revoked when the training has both of its grants"
    let expects = "the training ends; the dataset is as it was and trains again"

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.workers = 1
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let data = try await load.prepare()
        let model = try await load.customer.access("ChaosModel")
        let dataset = try await load.dataset("to_train_on", data)
        let imported = try await load.create("history", dataset: dataset, file: "small.csv", data, by: load.client)
        try await trial.waitForSuccess()
        let group = try await load.client.call(
            .forecast, "CreateDatasetGroup",
            ["DatasetGroupName": "to_train_on", "Domain": "CUSTOM", "DatasetArns": [.string(dataset)]])["DatasetGroupArn"]
        guard let group else { throw ChaosFailure(description: "CreateDatasetGroup gave no ARN") }
        let worker = try await cluster.restart("worker-1", faults: "grant.recorded:2=stop")
        let predictor = try await train("revoked", group, model, load)
        try await trial.wait(until: "the training to have its grants") { ClusterProcesses.state(of: worker.pid) == "T" }
        try await Withdrawal(act: "RevokeGrant", key: data.key).happen(load)
        trial.injected("grant on the dataset's key revoked")
        cluster.resume("worker-1")
        let row = try await trial.wait(for: "the training to end") {
            try await cluster.jobs.query(
                "SELECT state, message FROM job WHERE resource = \(predictor) AND finished_at IS NOT NULL"
            ).first
        }
        let (state, message): (String, String?) = (try row.get("state"), try row.get("message", as: String?.self))
        try trial.expect(state == "failed" && message?.contains(data.key) == true, "the training is \(state): \(message ?? "")")
        trial.saw("failed: \(message ?? "")")
        try await Withdrawal(act: "RevokeGrant", key: data.key).check(trial, predictor)
        let (status, _) = try await DemoSteps.status(imported, load.client)
        try trial.expect(status == "ACTIVE", "the import is \(status)")
        let again = try await train("again", group, model, load)
        load.accept(again)
        try await trial.wait(until: "the next training to succeed") {
            try await cluster.count("SELECT count(*) AS n FROM job WHERE resource = \(again) AND state = 'succeeded'") == 1
        }
        trial.saw("the dataset trains again")
    }

    private func train(
        _ name: String, _ group: JSONValue, _ model: DemoCustomer.Access, _ load: ChaosLoad
    ) async throws -> String {
        let answer = try await load.client.call(
            .forecast, "CreateAutoPredictor",
            [
                "PredictorName": .string(name), "ForecastHorizon": 3, "ForecastFrequency": "D",
                "DataConfig": ["DatasetGroupArn": group], "EncryptionConfig": model.configuration,
            ])
        guard let arn = answer["PredictorArn"]?.stringValue else {
            throw ChaosFailure(description: "CreateAutoPredictor gave no ARN")
        }
        return arn
    }
}

/// An act that takes a key away from a job, and what must hold behind it.
private struct Withdrawal {
    let act: String
    let key: String

    func happen(_ load: ChaosLoad) async throws {
        switch act {
        case "RevokeGrant":
            let grants = try await load.client.call(.kms, "ListGrants", ["KeyId": .string(key)])["Grants"]?.arrayValue ?? []
            guard let grant = grants.last(where: { $0["Name"]?.stringValue?.hasPrefix("job/") == true })?["GrantId"] else {
                throw ChaosFailure(description: "the job has no grant on \(key)")
            }
            _ = try await load.client.call(.kms, "RevokeGrant", ["KeyId": .string(key), "GrantId": grant])
        case "ScheduleKeyDeletion":
            _ = try await load.client.call(.kms, act, ["KeyId": .string(key), "PendingWindowInDays": 7])
        default: _ = try await load.client.call(.kms, act, ["KeyId": .string(key)])
        }
    }

    /// No use of the key behind the act, nothing published, every grant of the job retired.
    func check(_ trial: ChaosTrial, _ arn: String) async throws {
        let uses = try await trial.cluster.authority.query(
            """
            SELECT count(*) AS n FROM audit_records a
            WHERE a.event_name IN ('GenerateDataKey', 'Decrypt') AND \(key)::text = ANY (a.resource_names)
              AND NOT a.record::jsonb ? 'errorCode'
              AND a.position > (SELECT max(b.position) FROM audit_records b
                                WHERE b.event_name = \(act) AND \(key)::text = ANY (b.resource_names)
                                  AND NOT b.record::jsonb ? 'errorCode')
            """
        ).first?.get("n", as: Int.self)
        try trial.expect(uses == 0, "the key was used \(uses ?? -1) times behind \(act)")
        let published = try await trial.cluster.count(
            """
            SELECT count(*) AS n FROM job_object o JOIN job j ON j.id = o.job WHERE j.resource = \(arn) AND o.state = 'published'
            """)
        try trial.expect(published == 0, "\(published) objects of the failed job are published")
        let grants = try await trial.cluster.count(
            "SELECT count(*) AS n FROM job_grant g JOIN job j ON j.id = g.job WHERE j.resource = \(arn) AND g.state <> 'retired'")
        try trial.expect(grants == 0, "\(grants) grants of the failed job are not retired")
    }
}

/// Case 50.
struct CrashAroundCreateGrant: ChaosCase {
    let number = 50
    let title = "crash around CreateGrant, planner paused past its job's end"
    let injects = "kill -9 before CreateGrant and between its effect and its record; SIGSTOP there until the job was stopped"
    let expects = "the grant is found by its Name and retired; none is left"
    let limit: Duration = .seconds(500)

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        for fault in ["grant.intended=kill", "grant.created=kill", "grant.intended=stop", "grant.created=stop"] {
            let worker = try await cluster.restart("worker-1", faults: fault)
            var arn = ""
            for attempt in 1... {
                try trial.expect(attempt <= 40, "\(fault) was not reached")
                guard let submitted = await load.submit(access) else { continue }
                arn = submitted
                try await trial.wait(until: "the point or the job's end", every: .milliseconds(20)) {
                    if worker.hasEnded || ClusterProcesses.state(of: worker.pid) == "T" { return true }
                    return try await cluster.openJobs() == 0
                }
                if worker.hasEnded || ClusterProcesses.state(of: worker.pid) == "T" { break }
            }
            trial.injected(fault)
            if fault.hasSuffix("stop") {
                _ = try await load.client.call(.forecast, "StopResource", ["ResourceArn": .string(arn)])
                try await trial.waitForEnd()
                try await none(trial, "while the planner sleeps")
                let before = cluster.lostLeases("worker-1")
                cluster.resume("worker-1")
                try await trial.wait(until: "the planner to see that its lease is gone") {
                    cluster.lostLeases("worker-1") > before
                }
            }
            try await trial.waitForEnd()
            try await trial.wait(until: "no grant of a job to be left", limit: .seconds(120)) { try await grants(cluster) == 0 }
        }
        trial.saw("no grant is left at KMS; stopped jobs stayed stopped")
    }

    private func none(_ trial: ChaosTrial, _ when: String) async throws {
        let count = try await grants(trial.cluster)
        try trial.expect(count == 0, "\(count) grants of jobs are at KMS \(when)")
    }

    private func grants(_ cluster: ChaosCluster) async throws -> Int {
        try await cluster.authority.query("SELECT count(*) AS n FROM key_grants WHERE name LIKE 'job/%'").first?.get("n") ?? 0
    }
}
