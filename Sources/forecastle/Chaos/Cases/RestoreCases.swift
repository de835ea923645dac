import AWSProtocol
import Foundation
import Glibc
import Postgres

/// Case 43.
struct ShreddedKeyRestored: ChaosCase {
    let number = 43
    let title = "a shredded key, and the database from before it"
    let injects = "a key deleted for good, PostgreSQL's files then put back from before"
    let expects = "its messages open neither before nor after; the deletion destroyed what no backup holds"
    let limit: Duration = .seconds(600)

    func run(_ trial: ChaosTrial) async throws {
        let load = trial.load
        let restored = try await RestoredDatabase.make(trial)
        let (shredded, kept) = (try await restored.key(), try await restored.key())
        try await restored.backUp()
        _ = try await load.client.call(.kms, "ScheduleKeyDeletion", ["KeyId": .string(shredded.arn), "PendingWindowInDays": 7])
        _ = try await trial.cluster.authority.query(
            "UPDATE keys SET deletion_at = now() - interval '1 hour' WHERE arn = \(shredded.arn)")
        // An authority destroys what is due when it starts.
        try await restored.restartAuthority()
        let id = shredded.arn.split(separator: "/").last.map(String.init) ?? ""
        try await trial.wait(until: "the key's secret to leave the vault") {
            !FileManager.default.fileExists(atPath: "\(trial.cluster.folder.vault)/\(id).shred")
        }
        trial.injected("key \(id) shredded")
        let before = await restored.use(shredded)
        try trial.expect(before != nil, "the shredded key still opens its messages")
        try await restored.putBack()
        trial.injected("PostgreSQL put back from before the deletion")
        try await restored.accept()
        let state = try await trial.cluster.authority.query("SELECT state FROM keys WHERE arn = \(shredded.arn)").first?
            .get("state", as: String.self)
        let after = await restored.use(shredded)
        try trial.expect(after != nil, "the shredded key opens its messages again: the database held all of it")
        trial.saw("refused before (\(before ?? "")) and after (\(after ?? ""); the row says \(state ?? "nothing"))")
        try await restored.expectUsableOnceReviewed(kept)
        try await restored.finish()
    }
}

/// Case 51.
struct DatabaseRestored: ChaosCase {
    let number = 51
    let title = "the database from before rights were withdrawn"
    let injects = "RevokeGrant, DisableKey, an access key deleted; PostgreSQL's files then put back from before"
    let expects = "the authority refuses to serve until it is accepted; then what was withdrawn stays withdrawn"
    let limit: Duration = .seconds(600)

    func run(_ trial: ChaosTrial) async throws {
        let (cluster, load) = (trial.cluster, trial.load)
        let restored = try await RestoredDatabase.make(trial)
        let (granted, disabled) = (try await restored.key(), try await restored.key())
        let reader = try await Person.make("reader", trial)
        let key = GrantedKey(arn: granted.arn, owner: load.client, trial: trial)
        let grant = try await key.grant(reader, ["Decrypt"])
        let allowed = await reader.decrypt(granted.blob, [:], key)
        try trial.expect(allowed == nil, "the grant does not work: \(allowed ?? "")")
        try await restored.backUp()
        _ = try await load.client.call(.kms, "RevokeGrant", key.naming(grant))
        _ = try await load.client.call(.kms, "DisableKey", ["KeyId": .string(disabled.arn)])
        let readersKey = try CredentialsFile(path: "\(cluster.folder.path)/\(load.name("reader")).json").read().accessKeyID
        try await load.customer.admin("access-key", "delete", readersKey, "--account", load.customer.account)
        try await restored.putBack()
        trial.injected("PostgreSQL put back from before RevokeGrant, DisableKey and DeleteAccessKey")
        try await restored.accept()
        let reading = await reader.decrypt(granted.blob, [:], key)
        try trial.expect(reading == "UnrecognizedClientException", "the deleted access key: \(reading ?? "it works again")")
        let grants = try await load.client.call(.kms, "ListGrants", ["KeyId": .string(granted.arn)])["Grants"]?.arrayValue ?? []
        try trial.expect(grants.isEmpty, "\(grants.count) revoked grants are back")
        let using = await restored.use(disabled)
        try trial.expect(using == "DisabledException", "the disabled key: \(using ?? "it works again")")
        trial.saw("the access key is nobody's, the grant is gone, the key is disabled")
        try await restored.expectUsableOnceReviewed(granted)
        try await restored.finish()
    }
}

/// A cluster whose PostgreSQL is put back from files of before.
private struct RestoredDatabase: Sendable {
    struct Key: Sendable {
        var arn: String
        var blob: JSONValue
    }

    let trial: ChaosTrial
    private var cluster: ChaosCluster { trial.cluster }
    private var client: EnvironmentClient { trial.load.client }
    private var backup: String { cluster.folder.path + "/postgres.before" }
    private static let users = ["api", "worker", "operator", "admin"]

    /// With jobs that have ended before anything is put back.
    static func make(_ trial: ChaosTrial) async throws -> RestoredDatabase {
        let access = try await trial.load.prepare()
        for _ in 1...2 { _ = await trial.load.submit(access, file: "small.csv") }
        try await trial.waitForSuccess()
        return RestoredDatabase(trial: trial)
    }

    func key() async throws -> Key {
        guard let arn = try await client.call(.kms, "CreateKey", [:])["KeyMetadata"]?["Arn"]?.stringValue else {
            throw ChaosFailure(description: "CreateKey gave no ARN")
        }
        return Key(arn: arn, blob: try await GrantedKey(arn: arn, owner: client, trial: trial).encrypt())
    }

    /// The code that a use of the key ends in; nil where it works.
    func use(_ key: Key) async -> String? {
        do {
            _ = try await client.call(.kms, "Decrypt", ["KeyId": .string(key.arn), "CiphertextBlob": key.blob])
            return nil
        } catch let failure as EnvironmentClient.Failure {
            return failure.error.code
        } catch {
            return "\(error)"
        }
    }

    func backUp() async throws {
        try await whileStopped { try await copy(cluster.folder.postgres, to: backup) }
    }

    /// Everything that knows the present is stopped, and the past put in its place. The authority is held down.
    func putBack() async throws {
        for name in ["authority", "api"] + cluster.workers {
            let child = try await cluster.running(name)
            cluster.supervisor.hold(name)
            await child.stop(grace: .seconds(30))
        }
        try await whileStopped {
            try FileManager.default.removeItem(atPath: cluster.folder.postgres)
            try await copy(backup, to: cluster.folder.postgres)
        }
    }

    /// Sees that the authority refuses, accepts the database as its operator, and lets those in again who are reviewed.
    func accept() async throws {
        cluster.supervisor.letGo("authority")
        try await trial.wait(until: "the authority to refuse the database") {
            cluster.log("authority").contains("older than its vault")
        }
        trial.saw("the authority refused to serve the older database")
        cluster.supervisor.hold("authority")
        let customer = trial.load.customer
        try await customer.admin("restore", "--accept")
        for user in Self.users {
            let id = try CredentialsFile(path: "\(cluster.folder.credentials)/\(user).json").read().accessKeyID
            let account = user == "admin" ? customer.account : try cluster.serviceWorker().account
            try await customer.admin("access-key", "activate", id, "--account", account)
        }
        for name in ["authority", "api"] + cluster.workers { cluster.supervisor.letGo(name) }
        try await trial.wait(until: "the authority and the API to serve") {
            let authority = try? await client.call(.kms, "ListKeys", ["Limit": 1])
            let api = try? await client.call(.forecast, "ListDatasets", ["MaxResults": 1])
            return authority != nil && api != nil
        }
        trial.saw("accepted; reviewed access keys were activated again")
    }

    /// What people reviewed is of use again.
    func expectUsableOnceReviewed(_ key: Key) async throws {
        let closed = await use(key)
        try trial.expect(closed == "DisabledException", "a key that nobody has reviewed: \(closed ?? "it works")")
        _ = try await client.call(.kms, "EnableKey", ["KeyId": .string(key.arn)])
        let open = await use(key)
        try trial.expect(open == nil, "a reviewed key: \(open ?? "")")
    }

    func restartAuthority() async throws {
        let old = try await cluster.kill9("authority")
        try await cluster.waitForNext("authority", after: old)
    }

    /// Jobs run again.
    func finish() async throws {
        let access = try await trial.load.access("After")
        let dataset = try await trial.load.dataset("after", access)
        _ = try await trial.load.create("after", dataset: dataset, file: "small.csv", access, by: client)
        try await trial.waitForSuccess()
    }

    private func whileStopped(_ body: @Sendable () async throws -> Void) async throws {
        let old = try await cluster.running("postgres")
        cluster.supervisor.hold("postgres")
        await old.stop(with: SIGINT, grace: .seconds(60))
        try await body()
        cluster.supervisor.letGo("postgres")
        try await cluster.waitForNext("postgres", after: old)
        try await trial.wait(until: "PostgreSQL to answer") { try await cluster.superuser.query("SELECT 1").count == 1 }
    }

    private func copy(_ from: String, to: String) async throws {
        let status = try await cluster.run("/bin/cp", ["-a", from, to], log: "copy")
        try trial.expect(status == 0, "\(from) could not be copied: \(ChildProcess.describe(status))")
    }
}
