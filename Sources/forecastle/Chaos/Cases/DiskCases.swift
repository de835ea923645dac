import AWSProtocol
import Foundation
import Glibc
import Logging
import Postgres

/// Case 47.
struct DisksFail: ChaosCase {
    let number = 47
    let title = "disks full, read-only, without inodes, failing"
    let injects =
        "the store's and the vault's memory file systems filled, mounted read-only, without inodes; fsync EIO; the trail refusing"
    let expects = "jobs tried again or failed with a cause, no torn file; without vault or trail no key is used"
    let needs: [ChaosNeed] = [.root, .program("strace")]
    let limit: Duration = .seconds(600)
    private static let storeBytes = 96 << 20
    private static let vaultBytes = 1 << 20

    var setup: ChaosSetup {
        var setup = ChaosSetup()
        setup.disks = [.artifacts: Self.storeBytes, .vault: Self.vaultBytes]
        for role in ["worker", "api"] { setup.flags[role] = ["--worker-attempts-max=50"] }
        setup.flags["authority"] = ["--authority-vault-closes-after-s=2"]
        return setup
    }

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        let store = cluster.folder.artifacts
        try await trouble("the store is full", trial, access) {
            let hog = DiskHog(path: store + "/hog")
            let taken = try hog.fill()
            return ("\(taken >> 20) MiB taken", { hog.remove() })
        }
        try await trouble("the store is read-only", trial, access) {
            try MemoryFileSystem.change(store, readOnly: true, options: "size=\(Self.storeBytes)")
            return ("mounted read-only", { try MemoryFileSystem.change(store, options: "size=\(Self.storeBytes)") })
        }
        try await trouble("the store has no inode left", trial, access) {
            let used = Self.inodes(store)
            try MemoryFileSystem.change(store, options: "size=\(Self.storeBytes),nr_inodes=\(used)")
            return ("\(used) inodes, all in use", { try MemoryFileSystem.change(store, options: "nr_inodes=1000000") })
        }
        try await trouble("fsync fails", trial, access) {
            guard let strace = ChaosNeed.path(of: "strace") else { throw ChaosSkip(description: "strace is not installed") }
            var tracers: [ChildProcess] = []
            for name in cluster.workers {
                tracers.append(
                    try await ChildProcess.start(
                        name: "strace", executable: strace,
                        arguments: [
                            "-qq", "-f", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO", "-p",
                            "\(try cluster.child(name).pid)",
                        ], environment: ["PATH": "/usr/bin:/bin"], log: cluster.folder.log("strace")))
            }
            let started = tracers
            return ("fsync answers EIO", { for tracer in started { await tracer.stop(grace: .seconds(10)) } })
        }
        let torn = try await cluster.count(
            """
            SELECT count(*) AS n FROM job_object o JOIN job j ON j.id = o.job
            WHERE j.state = 'succeeded' AND o.state IN ('reserved', 'durable')
            """)
        try trial.expect(torn == 0, "\(torn) objects of succeeded jobs are half done")
        try await closedKeys(trial, access)
    }

    /// Jobs are submitted while the disk fails; each attempt says why it did not succeed, and all succeed once it is mended.
    private func trouble(
        _ what: String, _ trial: ChaosTrial, _ access: DemoCustomer.Access,
        _ inject: () async throws -> (String, () async throws -> Void)
    ) async throws {
        let cluster = trial.cluster
        let failures = try await self.failures(cluster)
        let (how, heal) = try await inject()
        do {
            for _ in 1...4 { _ = await trial.load.submit(access, file: "small.csv") }
            try await trial.wait(until: "attempts to fail where \(what)", limit: .seconds(60)) {
                try await self.failures(cluster) > failures
            }
        } catch {
            try await heal()
            throw error
        }
        try await heal()
        trial.injected("\(what): \(how)")
        let healed = ContinuousClock.now
        try await trial.waitForSuccess()
        trial.saw("\(what): all succeeded \(healed.duration(to: .now).rounded) after it was mended")
    }

    private func failures(_ cluster: ChaosCluster) async throws -> Int {
        try await cluster.count("SELECT coalesce(sum(failures), 0) AS n FROM job_task")
    }

    /// Files and folders, as the file system counts them.
    private static func inodes(_ path: String) -> Int {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return 0 }
        return Int(status.f_files - status.f_ffree)
    }

    /// Where the vault cannot be written or the trail takes nothing, keys are closed: used and not noted is worse than not used.
    private func closedKeys(_ trial: ChaosTrial, _ access: DemoCustomer.Access) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let key = GrantedKey(arn: access.key, owner: load.client, trial: trial)
        let blob = try await key.encrypt()
        func use() async -> String? {
            do {
                _ = try await load.once.call(.kms, "Decrypt", ["KeyId": .string(access.key), "CiphertextBlob": blob])
                return nil
            } catch let failure as EnvironmentClient.Failure {
                return failure.error.code
            } catch {
                return "\(error)"
            }
        }
        func expectClosed(_ what: String, _ code: String = "KMSInternalException") async throws {
            try await trial.wait(until: "uses to be refused where \(what)", every: .milliseconds(200)) { await use() == code }
            trial.injected(what)
        }
        func expectOpen(_ what: String) async throws {
            try await trial.wait(until: "uses to be allowed where \(what)", every: .milliseconds(200)) { await use() == nil }
        }
        let vault = cluster.folder.vault
        let hog = DiskHog(path: vault + "/hog")
        let files = Set(try FileManager.default.contentsOfDirectory(atPath: vault))
        _ = try hog.fill()
        try await expectClosed("the vault is full")
        let made = try? await load.once.call(.kms, "CreateKey", [:])
        try trial.expect(made == nil, "a key was made whose secret has no place")
        hog.remove()
        try await expectOpen("the vault has room again")
        let left = Set(try FileManager.default.contentsOfDirectory(atPath: vault)).subtracting(files)
            .filter { !$0.hasPrefix(".") && !$0.hasSuffix(".note") && $0.hasSuffix(".shred") }
        try trial.expect(left.isEmpty, "of the key that was not made there is \(left.sorted())")
        try MemoryFileSystem.change(vault, readOnly: true, options: "size=\(Self.vaultBytes)")
        try await expectClosed("the vault is read-only")
        try MemoryFileSystem.change(vault, options: "size=\(Self.vaultBytes)")
        try await expectOpen("the vault can be written again")

        let owner = PostgresPool(
            configuration: .init(
                connection: "host=\(cluster.folder.sockets) port=5432 user=postgres dbname=forecastle_authority"),
            logger: .init(label: "chaos") { _ in SwiftLogNoOpLogHandler() })
        defer { owner.close() }
        _ = try await owner.query(
            """
            CREATE FUNCTION refuse_records() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END$$
            """)
        _ = try await owner.query(
            "CREATE TRIGGER refuse_records BEFORE INSERT ON audit_records FOR EACH ROW EXECUTE FUNCTION refuse_records()")
        try await expectClosed("the trail takes no record")
        _ = try await owner.query("DROP FUNCTION refuse_records() CASCADE")
        try await expectOpen("the trail takes records again")
        trial.saw("no key was used while vault or trail were away")
        _ = await load.submit(access, file: "small.csv")
        try await trial.waitForSuccess()
    }
}
