import AWSProtocol
import Envelope
import Foundation
import Glibc
import Postgres

/// An imported history as it lies in the store, and trainings that read it: what somebody with the store's disk can do to a
/// customer, and what comes of it.
struct StoredArtifact: Sendable {
    /// What a job says of an artifact that is not what its manifest pins, whatever is wrong with it.
    static let refusal = "An artifact could not be opened: \(EnvelopeError.authentication.message)"

    let arn: String
    let group: JSONValue
    let access: DemoCustomer.Access
    /// Files of the store.
    let manifest: String
    let chunks: [String]

    static func make(
        _ name: String, file: String, _ access: DemoCustomer.Access, _ trial: ChaosTrial
    ) async throws -> StoredArtifact {
        let load = trial.load
        let dataset = try await load.dataset(name, access)
        let arn = try await load.create(name, dataset: dataset, file: file, access, by: load.client)
        try await trial.waitForSuccess()
        let group = try await load.client.call(
            .forecast, "CreateDatasetGroup",
            [
                "DatasetGroupName": .string(load.name(name)), "Domain": "CUSTOM", "DatasetArns": [.string(dataset)],
            ])["DatasetGroupArn"]
        guard let group else { throw ChaosFailure(description: "CreateDatasetGroup gave no ARN") }
        let rows = try await trial.cluster.jobs.query(
            """
            SELECT o.name, o.name = j.manifest_object AS is_manifest FROM job_object o JOIN job j ON j.id = o.job
            WHERE j.resource = \(arn) AND o.state = 'published' ORDER BY o.name
            """
        ).map { (path: try $0.get("name", as: String.self), isManifest: try $0.get("is_manifest", as: Bool.self)) }
        let paths = rows.map { (trial.cluster.artifacts + "/" + $0.path, $0.isManifest) }
        guard let manifest = paths.first(where: \.1)?.0 else { throw ChaosFailure(description: "\(arn) has no manifest") }
        return StoredArtifact(
            arn: arn, group: group, access: access, manifest: manifest, chunks: paths.filter { !$0.1 }.map(\.0))
    }

    static func read(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        chmod(path, 0o600)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    /// With `bytes` in the place of an object for the time of `body`.
    func replacing<R>(_ path: String, by bytes: [UInt8], _ body: () async throws -> R) async throws -> R {
        let genuine = try Self.read(path)
        try Self.write(bytes, to: path)
        let result: R
        do {
            result = try await body()
        } catch {
            try Self.write(genuine, to: path)
            throw error
        }
        try Self.write(genuine, to: path)
        return result
    }

    /// Puts `bytes` in the place of an object, has a predictor trained, expects the one refusal, puts the object back.
    func expectRefused(_ what: String, _ path: String, as bytes: [UInt8], _ trial: ChaosTrial) async throws {
        try trial.expect(try Self.read(path) != bytes, "\(what): nothing was changed")
        let outcome = try await replacing(path, by: bytes) { try await train(trial) }
        trial.injected(what)
        try trial.expect(
            outcome.state == "failed" && outcome.message == Self.refusal,
            "\(what): the training is \(outcome.state): \(outcome.message)")
        let published = try await trial.cluster.count(
            """
            SELECT count(*) AS n FROM job_object o JOIN job j ON j.id = o.job
            WHERE j.resource = \(outcome.arn) AND o.state = 'published'
            """)
        try trial.expect(published == 0, "\(what): \(published) objects of the failed training are published")
    }

    /// What was put back is read again.
    func expectUsable(_ trial: ChaosTrial) async throws {
        let (state, message, arn) = try await train(trial)
        try trial.expect(state == "succeeded", "the training on what was put back is \(state): \(message)")
        trial.load.accept(arn)
        trial.saw("what was put back is trained on again")
    }

    /// Trains a predictor and waits for its end.
    func train(_ trial: ChaosTrial) async throws -> (state: String, message: String, arn: String) {
        let answer = try await trial.load.client.call(
            .forecast, "CreateAutoPredictor",
            [
                "PredictorName": .string("chaos_\(trial.random(1...999_999_999))"), "ForecastHorizon": 3,
                "ForecastFrequency": "D", "DataConfig": ["DatasetGroupArn": group],
                "EncryptionConfig": access.configuration,
            ])
        guard let arn = answer["PredictorArn"]?.stringValue else {
            throw ChaosFailure(description: "CreateAutoPredictor gave no ARN")
        }
        let row = try await trial.wait(for: "the training to end") {
            try await trial.cluster.jobs.query(
                "SELECT state, message FROM job WHERE resource = \(arn) AND finished_at IS NOT NULL"
            ).first
        }
        return (try row.get("state"), try row.get("message", as: String?.self) ?? "", arn)
    }
}
