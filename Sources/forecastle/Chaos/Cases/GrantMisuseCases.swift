import AWSClients
import AWSProtocol
import Foundation
import Postgres
import Secrets
import Synchronization

/// Case 42.
struct GrantsMisused: ChaosCase {
    let number = 42
    let title = "grants used by others, for others, and too late"
    let injects =
        "another principal, job, context, operation; tokens tampered with; revoked, retired; wider children; one too many"
    let expects = "refused under KMS's code, each refusal in the trail"
    let reach = ChaosReach.cluster

    private static let (denied, badToken) = ("AccessDeniedException", "InvalidGrantTokenException")
    private static let service = "forecast.amazonaws.com"

    func run(_ trial: ChaosTrial) async throws {
        // Over TLS a session of the service needs its process's certificate, which is not the customer's to show.
        _ = try WireEndpoint(try trial.load.client.variable("AWS_ENDPOINT_URL_STS"))
        let (cluster, load) = (trial.cluster, trial.load)
        let access = try await load.prepare()
        let start: Int64 =
            try await cluster.authority.query("SELECT coalesce(max(position), 0) AS p FROM audit_records").first?
            .get("p") ?? 0
        let (ann, ben) = (try await Person.make("ann", trial), try await Person.make("ben", trial))
        let key = GrantedKey(arn: access.key, owner: load.client, trial: trial)
        let blobs = try await ["A", "B"].asyncMap { try await key.encrypt(context: ["job": .string($0)]) }
        let (ours, theirs): (JSONValue, JSONValue) = (["job": "A"], ["job": "B"])

        // What a grant allows, and nothing beside it.
        try await key.expect("without a grant", Self.denied, ann.decrypt(blobs[0], ours, key))
        let grant = try await key.grant(ann, ["Decrypt"], ["Constraints": ["EncryptionContextEquals": ours]])
        try await key.expect("what was granted", nil, ann.decrypt(blobs[0], ours, key, token: grant.token))
        try await key.expect("another job's context", Self.denied, ann.decrypt(blobs[1], theirs, key, token: grant.token))
        try await key.expect("no context", Self.denied, ann.decrypt(blobs[0], [:], key, token: grant.token))
        try await key.expect(
            "an operation that is not in the list", Self.denied,
            ann.call("GenerateDataKey", ["KeyId": key.id, "KeySpec": "AES_256", "EncryptionContext": ours], token: grant.token))
        try await key.expect("another's token", Self.denied, ben.decrypt(blobs[0], ours, key, token: grant.token))
        var bytes = Array(Data(base64Encoded: grant.token) ?? Data())
        try trial.expect(bytes.count > 16, "the token is no base64 of a token's length")
        bytes[trial.random(1...bytes.count - 1)] ^= 1
        try await key.expect(
            "a token with a bit flipped", Self.badToken,
            ann.decrypt(blobs[0], ours, key, token: Data(bytes).base64EncodedString()))
        try await key.expect("retired by somebody else", Self.denied, ben.call("RetireGrant", key.naming(grant)))
        try await key.expect("revoked by the grantee", Self.denied, ann.call("RevokeGrant", key.naming(grant)))

        // Too late.
        _ = try await load.client.call(.kms, "RevokeGrant", key.naming(grant))
        try await key.expect("revoked", Self.denied, ann.decrypt(blobs[0], ours, key))
        let second = try await key.grant(ann, ["Decrypt"], ["RetiringPrincipal": .string(ben.arn)])
        try await key.expect("granted again", nil, ann.decrypt(blobs[0], ours, key, token: second.token))
        try await key.expect("retired by the retiring principal", nil, ben.call("RetireGrant", key.naming(second)))
        try await key.expect("retired", Self.denied, ann.decrypt(blobs[0], ours, key))

        // A child may be no wider than its parent.
        let subset: JSONValue = ["EncryptionContextSubset": ours]
        _ = try await key.grant(ann, ["CreateGrant", "Decrypt"], ["Constraints": subset])
        for (what, operations, constraints) in [
            ("an operation more", ["Decrypt", "Encrypt"], subset), ("no constraint", ["Decrypt"], [:]),
            ("another constraint", ["Decrypt"], ["EncryptionContextSubset": theirs]),
        ] as [(String, [String], JSONValue)] {
            try await key.expect(
                "a child with \(what)", Self.denied,
                ann.call(
                    "CreateGrant",
                    [
                        "KeyId": key.id, "GranteePrincipal": .string(ben.arn), "Operations": .strings(operations),
                        "Constraints": constraints,
                    ]))
        }
        try await sessions(trial, key)
        try await tooMany(trial, key, ann)
        let refusals: Int =
            try await cluster.authority.query(
                """
                SELECT count(*) AS n FROM audit_records WHERE position > \(start) AND record::jsonb ? 'errorCode'
                """
            ).first?.get("n") ?? 0
        try trial.expect(refusals >= key.refusals, "\(key.refusals) calls were refused and \(refusals) refusals are in the trail")
        trial.injected("\(key.refusals) uses that no grant allows")
        trial.saw("all refused; the trail has \(refusals) refusals")
        _ = await load.submit(access, file: "small.csv")
        try await trial.waitForSuccess()
    }

    /// A grant for job A under job B's session.
    private func sessions(_ trial: ChaosTrial, _ key: GrantedKey) async throws {
        let (load, account) = (trial.load, trial.load.customer.account)
        let predictor = "arn:aws:forecast:\(load.client.region):\(account):predictor/\(load.name("chaos"))"
        _ = try await load.client.call(
            .kms, "CreateGrant",
            [
                "KeyId": key.id, "GranteeServicePrincipal": .string(Self.service),
                "RetiringServicePrincipal": .string(Self.service),
                "Operations": ["GenerateDataKey"], "Constraints": ["SourceArn": .string(predictor)],
            ])
        let worker = try trial.cluster.serviceWorker()
        let sts = STSClient(
            configuration: .init(
                endpoint: try load.client.variable("AWS_ENDPOINT_URL_STS"), region: load.client.region,
                credentials: StaticCredentials(worker.credentials)), transport: HTTPTransport())
        func session(_ source: String?) async throws -> Person {
            let session = try await sts.assumeRole(
                .init(
                    roleARN: "arn:aws:iam::\(worker.account):role/forecastle-worker", sessionName: "chaos", sourceARN: source,
                    sourceAccount: source.map { _ in account }))
            return try Person(session.credentials, arn: session.sessionARN, trial)
        }
        let draw: JSONObject = ["KeyId": key.id, "KeySpec": "AES_256"]
        try await key.expect("the job's own session", nil, session(predictor).call("GenerateDataKey", draw))
        for (what, source) in [("another job's session", predictor + "2"), ("a session for no job", nil)] {
            try await key.expect(what, Self.denied, session(source).call("GenerateDataKey", draw))
        }
    }

    /// KMS holds 50,000 grants a key. The rows are the authority's own, written as the one that is there.
    private func tooMany(_ trial: ChaosTrial, _ key: GrantedKey, _ person: Person) async throws {
        let id = key.arn.split(separator: "/").last.map(String.init) ?? ""
        let pool = trial.cluster.authority
        let there: Int = try await pool.query("SELECT count(*) AS n FROM key_grants WHERE key_id = \(id)").first?.get("n") ?? 0
        try await pool.transaction { connection in
            let made = try await connection.execute(
                """
                INSERT INTO key_grants (grant_id, key_id, name, grantee, grantee_id, issuing_account, creator, creator_id,
                                        operations, fingerprint)
                SELECT encode(sha256(convert_to(key_id || n, 'UTF8')), 'hex'), key_id, 'chaos-' || n, grantee, grantee_id,
                       issuing_account, creator, creator_id, operations, sha256(convert_to(key_id || n, 'UTF8'))
                FROM (SELECT * FROM key_grants WHERE key_id = \(id) AND grantee LIKE 'arn:%' LIMIT 1) AS one,
                     generate_series(1, \(KeyLimits.grantsPerKey - there)) AS n
                """)
            try trial.expect(made == KeyLimits.grantsPerKey - there, "\(made) grants were made")
        }
        let outcome = await person.outcome {
            _ = try await key.grant(person, ["Encrypt"], ["Name": "one-too-many"])
        }
        _ = try await pool.query("DELETE FROM key_grants WHERE key_id = \(id) AND name LIKE 'chaos-%'")
        try key.expect("the 50,001st grant", "LimitExceededException", outcome)
    }
}

/// The documented bound of KMS.
private enum KeyLimits {
    static let grantsPerKey = 50_000
}

/// Somebody with credentials and no rights but what grants give.
struct Person: Sendable {
    let arn: String
    private let client: EnvironmentClient

    init(_ credentials: AWSCredentials, arn: String, _ trial: ChaosTrial) throws {
        self.arn = arn
        var variables = try trial.cluster.environment()
        variables["AWS_ACCESS_KEY_ID"] = credentials.accessKeyID
        variables["AWS_SECRET_ACCESS_KEY"] = credentials.secretAccessKey.revealed
        variables["AWS_SESSION_TOKEN"] = credentials.sessionToken
        client = try EnvironmentClient(environment: AWSEnvironment(variables))
    }

    /// A user of the customer's, made as its operator would.
    static func make(_ name: String, _ trial: ChaosTrial) async throws -> Person {
        let (customer, name) = (trial.load.customer, trial.load.name(name))
        let file = "\(trial.cluster.folder.path)/\(name).json"
        try await customer.admin("user", "create", name, "--account", customer.account)
        try await customer.admin("access-key", "create", "--account", customer.account, "--user", name, "--output", file)
        return try Person(
            try CredentialsFile(path: file).read(), arn: "arn:aws:iam::\(customer.account):user/\(name)", trial)
    }

    /// The code that a call was refused with; nil where it was not.
    func outcome(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch let failure as EnvironmentClient.Failure {
            return failure.error.code
        } catch {
            return "\(error)"
        }
    }

    func call(_ operation: String, _ body: JSONObject, token: String? = nil) async -> String? {
        var body = body
        if let token { body["GrantTokens"] = [.string(token)] }
        return await outcome { _ = try await client.call(.kms, operation, body) }
    }

    func decrypt(_ blob: JSONValue, _ context: JSONValue, _ key: GrantedKey, token: String? = nil) async -> String? {
        await call("Decrypt", ["KeyId": key.id, "CiphertextBlob": blob, "EncryptionContext": context], token: token)
    }
}

/// A key, and what its owner gives away.
final class GrantedKey: Sendable {
    struct Grant: Sendable {
        var id: String
        var token: String
    }

    let arn: String
    private let owner: EnvironmentClient
    private let trial: ChaosTrial
    private let counted = Mutex(0)

    init(arn: String, owner: EnvironmentClient, trial: ChaosTrial) {
        self.arn = arn
        self.owner = owner
        self.trial = trial
    }

    var id: JSONValue { .string(arn) }
    var refusals: Int { counted.withLock { $0 } }

    func naming(_ grant: Grant) -> JSONObject { ["KeyId": id, "GrantId": .string(grant.id)] }

    func encrypt(context: JSONValue = [:]) async throws -> JSONValue {
        let answer = try await owner.call(
            .kms, "Encrypt",
            [
                "KeyId": id, "Plaintext": .string(Data("kept under a key".utf8).base64EncodedString()),
                "EncryptionContext": context,
            ])
        return answer["CiphertextBlob"] ?? .null
    }

    func grant(_ person: Person, _ operations: [String], _ more: JSONObject = [:]) async throws -> Grant {
        var body: JSONObject = ["KeyId": id, "GranteePrincipal": .string(person.arn), "Operations": .strings(operations)]
        for (name, value) in more { body[name] = value }
        let answer = try await owner.call(.kms, "CreateGrant", body)
        return Grant(id: answer["GrantId"]?.stringValue ?? "", token: answer["GrantToken"]?.stringValue ?? "")
    }

    func expect(_ what: String, _ code: String?, _ outcome: String?) throws {
        if code != nil { counted.withLock { $0 += 1 } }
        try trial.expect(outcome == code, "\(what): \(outcome ?? "allowed") instead of \(code ?? "allowed")")
    }
}

extension Sequence {
    func asyncMap<T>(_ body: (Element) async throws -> T) async rethrows -> [T] {
        var result: [T] = []
        for element in self { result.append(try await body(element)) }
        return result
    }
}
