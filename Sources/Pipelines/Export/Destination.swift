import Artifacts
import Envelope
import Jobs
import ObjectStore

/// The folder in the customer's bucket that an export writes to.
struct Destination: Sendable {
    let store: any ObjectStore
    private let url: S3URL
    private let document: ExportDocument

    /// Throws where the path is none or there is no such bucket.
    init(_ document: ExportDocument, _ environment: PipelineEnvironment, _ job: JobRecord) async throws {
        self.document = document
        (url, store) = try await Self.of(document.destination.path) {
            let url = try S3URL(document.destination.path)
            let role = document.destination.roleARN
            return (url, try await environment.buckets.store(url.bucket, for: .destination, role: role, environment, job))
        }
    }

    /// Name of one file of a part. Throws where the path leaves no room for one.
    func key(_ file: Int, part: Int, of layout: ExportLayout) async throws -> ObjectKey {
        try await Self.of(document.destination.path) {
            try url.key(file: layout.name(file, part: part, document: document))
        }
    }

    /// What every message of this export says of itself; its task is known to its own task only.
    static func expectation(_ access: ArtifactAccess, job: String, ordinal: Int) -> MessageExpectation {
        var required = access.scope.grantConstraint
        required[ArtifactContextKey.kind] = ArtifactKind.export.rawValue
        required[ArtifactContextKey.job] = job
        required[ArtifactContextKey.ordinal] = String(ordinal)
        return MessageExpectation(suite: .committed, requiredContext: required, kmsKeyARN: access.keyARN)
    }

    /// Says what the bucket has against a request, by the member that named the place. `place` is a path or a key.
    static func of<R>(
        _ place: some CustomStringConvertible, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
    ) async throws -> R {
        do {
            return try await body()
        } catch let error as ObjectStoreError {
            // The reason comes first: a job's message is cut behind 1024 characters, and a place may be as long.
            throw JobError(error.isRetriable ? .retriable : .final, "Destination: \(error.message) (\(place)).", cause: error)
        }
    }
}
