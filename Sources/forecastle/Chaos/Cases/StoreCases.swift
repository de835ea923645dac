import AWSProtocol
import Envelope
import EnvelopeKMS
import Foundation
import Glibc
import Postgres

/// Case 46.
struct HostilePaths: ChaosCase {
    let number = 46
    let title = "paths that lead out of the bucket"
    let injects = "dots, escapes, NUL, backslashes, links, addresses, files and other schemes as an import's path"
    let expects = "refused or failed, nothing outside the buckets opened"
    let reach = ChaosReach.cluster

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        let dataset = try await load.dataset("hostile", access)
        // A history outside: whoever reads it by one of these paths imports it.
        let outside = cluster.folder.path + "/outside"
        try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
        let bucket = "\(cluster.buckets)/\(load.bucket)"
        let secret = try String(contentsOfFile: "\(bucket)/small.csv", encoding: .utf8).replacing(load.canary, with: "outside")
        try Data(secret.utf8).write(to: URL(fileURLWithPath: "\(outside)/secret.csv"))
        let links = [
            ("link_\(trial.random(1...999_999)).csv", "\(outside)/secret.csv"), ("dir_\(trial.random(1...999_999))", outside),
        ]
        for (name, target) in links { symlink(target, "\(bucket)/\(name)") }
        defer { for (name, _) in links { unlink("\(bucket)/\(name)") } }
        let tracer = try await trace(cluster)
        defer { tracer?.signal(SIGKILL) }
        let up = String(repeating: "../", count: 8)
        let paths = [
            "s3://\(load.bucket)/\(up)\(outside.dropFirst())/secret.csv", "s3://\(load.bucket)/../../outside/secret.csv",
            "s3://\(load.bucket)/%2e%2e/%2e%2e/outside/secret.csv", "s3://\(load.bucket)/..%2foutside%2fsecret.csv",
            "s3://\(load.bucket)/..\\outside\\secret.csv", "s3://\(load.bucket)/./small.csv", "s3://\(load.bucket)//small.csv",
            "s3://\(load.bucket)/small.csv\u{0}", "s3://\(load.bucket)/\u{0}/secret.csv", "s3://\(load.bucket)/\(links[0].0)",
            "s3://\(load.bucket)/\(links[1].0)/secret.csv", "s3://../outside/secret.csv", "s3://./secret.csv",
            "s3://%2e%2e/outside/secret.csv", "s3://169.254.169.254/latest/meta-data/", "s3://127.0.0.1/secret.csv",
            "http://169.254.169.254/latest/meta-data/", "file://\(outside)/secret.csv", "\(outside)/secret.csv", "s3://",
            "s3:///small.csv", "s3://\(load.bucket)/" + String(repeating: "k", count: 1025),
            "s3://\(load.bucket)/" + String(repeating: "n", count: 256) + ".csv", "s3://BUCKET/small.csv", "s3://a/small.csv",
        ]
        var (refused, failed) = (0, 0)
        for (number, path) in trial.shuffled(paths).enumerated() {
            do {
                let answer = try await load.noting("CreateDatasetImportJob") {
                    try await load.client.call(
                        .forecast, "CreateDatasetImportJob",
                        [
                            "DatasetImportJobName": .string(load.name("hostile_\(number)")), "DatasetArn": .string(dataset),
                            "TimestampFormat": "yyyy-MM-dd HH:mm:ss",
                            "DataSource": ["S3Config": ["Path": .string(path), "RoleArn": .string(access.role)]],
                        ])
                }
                guard let arn = answer["DatasetImportJobArn"]?.stringValue else { continue }
                let row = try await trial.wait(for: "the import of \(path) to end") {
                    try await cluster.jobs.query("SELECT state FROM job WHERE resource = \(arn) AND finished_at IS NOT NULL")
                        .first
                }
                let state: String = try row.get("state")
                try trial.expect(state == "failed", "the import of \(path) is \(state)")
                failed += 1
            } catch let failure as EnvironmentClient.Failure {
                try trial.expect(
                    failure.error.status == 400 && failure.error.cause == nil, "\(path): \(failure.error.code): \(failure)")
                refused += 1
            }
        }
        trial.injected("\(paths.count) paths: \(refused) refused at once, \(failed) jobs failed")
        if let tracer {
            await tracer.stop(grace: .seconds(10))
            let opened = cluster.log("paths").split(separator: "\n").filter { line in
                !line.contains(" = -1 ") && ["/outside", "/etc/passwd", "secret.csv"].contains { line.contains($0) }
            }
            try trial.expect(opened.isEmpty, "opened outside: \(opened.first ?? "")")
            trial.saw("no system call of a worker opened anything outside, by strace")
        } else {
            trial.saw("the workers' system calls were not looked at: that needs root, strace and workers on this machine")
        }
        _ = await load.submit(access, file: "small.csv")
        try await trial.waitForSuccess()
    }

    /// Writes down what the workers open; nil where that cannot be seen.
    private func trace(_ cluster: ChaosCluster) async throws -> ChildProcess? {
        let workers = cluster.processes("worker")
        guard geteuid() == 0, !workers.isEmpty, let strace = ChaosNeed.path(of: "strace") else { return nil }
        let tracer = try await ChildProcess.start(
            name: "strace", executable: strace,
            arguments: ["-qq", "-f", "-e", "trace=open,openat,openat2"] + workers.flatMap { ["-p", "\($0)"] },
            environment: ["PATH": "/usr/bin:/bin"], log: cluster.folder.log("paths"))
        return tracer
    }
}

/// Case 52.
struct ChunksSubstituted: ChaosCase {
    let number = 52
    let title = "genuine messages in the wrong place"
    let injects = "a chunk of another artifact, another's manifest, a message of the same context under an attacker's key"
    let expects = "refused before any call to KMS, with one error"
    let reach = ChaosReach.cluster
    let limit: Duration = .seconds(400)

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        let ours = try await StoredArtifact.make("ours", file: "small.csv", access, trial)
        let theirs = try await StoredArtifact.make("theirs", file: "small.csv", access, trial)
        let attacker = try await load.access("Attacker")
        let genuine = try StoredArtifact.read(ours.chunks[0])
        let context = try MessageHeader.parse(whole: genuine[...]).callersContext
        let forged = try await MessageSealer.sealMessage(
            [UInt8](repeating: 0x78, count: 4096), provider: KMSDataKeyProvider(kms: try load.client.kms(), keyARN: attacker.key),
            context: context)
        let swaps: [(what: String, place: String, bytes: [UInt8])] = [
            ("a chunk of another artifact", ours.chunks[0], try StoredArtifact.read(theirs.chunks[0])),
            ("the manifest of another artifact", ours.manifest, try StoredArtifact.read(theirs.manifest)),
            ("a chunk of the same context under an attacker's key", ours.chunks[0], forged),
        ]
        for (what, place, bytes) in trial.shuffled(swaps) {
            let before = try await decryptions(cluster)
            try await ours.expectRefused(what, place, as: bytes, trial)
            let calls = try await decryptions(cluster, after: before.position)
            for call in calls.calls {
                // The manifest in its own place is genuine and may be opened; nothing else of either artifact may.
                let isOurs = [ours.arn, theirs.arn].contains(call.resource)
                try trial.expect(
                    call.key == access.key && (!isOurs || (call.kind == "manifest" && place != ours.manifest)),
                    "\(what): KMS was asked about \(call.kind) of \(call.resource)")
            }
        }
        trial.saw("KMS was asked about nothing that was put there")
        try await ours.expectUsable(trial)
        try await trial.waitForSuccess()
    }

    private struct Call {
        var key: String
        var resource: String
        var kind: String
    }

    private func decryptions(_ cluster: ChaosCluster, after: Int64 = -1) async throws -> (position: Int64, calls: [Call]) {
        let rows = try await cluster.authority.query(
            """
            SELECT position, resource_names[1] AS key, record::jsonb #> '{requestParameters,encryptionContext}' AS context
            FROM audit_records WHERE event_name = 'Decrypt' AND position > \(after) ORDER BY position
            """)
        var (position, calls) = (after, [Call]())
        for row in rows {
            position = try row.get("position")
            let context = try row.get("context", as: PostgresJSON?.self).map { try JSONValue.parse($0.text) }
            calls.append(
                Call(
                    key: try row.get("key", as: String?.self) ?? "",
                    resource: context?["forecastle:resource"]?.stringValue ?? "",
                    kind: context?["forecastle:kind"]?.stringValue ?? ""))
        }
        return (position, calls)
    }
}

/// Case 53.
struct SpecificationsEdited: ChaosCase {
    let number = 53
    let title = "a job's specification edited in the database"
    let injects = "its path, its role, its key's dataset replaced by SQL between acceptance and claim"
    let expects = "the worker refuses it with an alarm, before it assumes a role"
    let reach = ChaosReach.cluster

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        let other = try await load.access("Other")
        try load.put("other.csv", items: 2)
        let edits: [(what: String, old: String, new: String)] = [
            ("path", "/small.csv", "/other.csv"), ("role", access.role, other.role), ("key", access.key, other.key),
        ]
        for (number, (what, old, new)) in trial.shuffled(edits).enumerated() {
            let name = load.name("edited_\(number)")
            let function = "chaos_\(trial.random(1...999_999_999))"
            // As somebody with the database's password would: in the transaction that accepts it, so that no worker is quicker.
            let text = """
                CREATE FUNCTION \(function)() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF NEW.resource LIKE '%/\(name)' THEN
                        NEW.specification := convert_to(
                            replace(convert_from(NEW.specification, 'UTF8'), '\(old)', '\(new)'), 'UTF8');
                    END IF;
                    RETURN NEW;
                END $$
                """
            _ = try await cluster.jobs.query("\(raw: text)")
            let roles = try await assumptions(cluster)
            let state: String, message: String, specification: String
            do {
                _ = try await cluster.jobs.query(
                    "CREATE TRIGGER \(raw: function) BEFORE INSERT ON job FOR EACH ROW EXECUTE FUNCTION \(raw: function)()")
                let dataset = try await load.dataset("edited_\(number)", access)
                let answer = try await load.client.call(
                    .forecast, "CreateDatasetImportJob",
                    [
                        "DatasetImportJobName": .string(name), "DatasetArn": .string(dataset),
                        "TimestampFormat": "yyyy-MM-dd HH:mm:ss",
                        "DataSource": [
                            "S3Config": ["Path": .string("s3://\(load.bucket)/small.csv"), "RoleArn": .string(access.role)]
                        ],
                    ])
                let arn = answer["DatasetImportJobArn"]?.stringValue ?? ""
                let row = try await trial.wait(for: "the edited job to end") {
                    try await cluster.jobs.query(
                        """
                        SELECT state, message, convert_from(specification, 'UTF8') AS specification FROM job
                        WHERE resource = \(arn) AND finished_at IS NOT NULL
                        """
                    ).first
                }
                (state, message, specification) = (
                    try row.get("state"), try row.get("message", as: String?.self) ?? "", try row.get("specification")
                )
            } catch {
                await drop(function, cluster)
                throw error
            }
            await drop(function, cluster)
            try trial.expect(specification.contains(new), "\(what): the specification does not name it, so nothing was edited")
            trial.injected("\(what) replaced")
            try trial.expect(state == "failed", "\(what): the job is \(state)")
            let now = try await assumptions(cluster)
            try trial.expect(now == roles, "\(what): a role was assumed for the edited job")
            trial.saw("\(what): \(message)")
        }
        if cluster.isOwn {
            let alarms = cluster.workers.map { cluster.log($0) }.joined().split(separator: "\n").count {
                $0.contains("specification")
            }
            try trial.expect(alarms >= edits.count, "the workers' logs have \(alarms) alarms")
            trial.saw("\(alarms) alarms in the workers' logs")
        }
        _ = await load.submit(access, file: "small.csv")
        try await trial.waitForSuccess()
    }

    private func drop(_ function: String, _ cluster: ChaosCluster) async {
        _ = try? await cluster.jobs.query("DROP FUNCTION \(raw: function) CASCADE")
    }

    /// Roles that were assumed for jobs on edited resources.
    private func assumptions(_ cluster: ChaosCluster) async throws -> Int {
        try await cluster.authority.query(
            "SELECT count(*) AS n FROM audit_records WHERE event_name = 'AssumeRole' AND record LIKE '%edited\\_%'"
        ).first?.get("n") ?? 0
    }
}
