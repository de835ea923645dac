import AWSProtocol
import Artifacts
import Catalog
import Envelope
import Forecasting
import FoundationEssentials
import Jobs
import ObjectStore
import Postgres
import TimeSeries

/// A handler whose job makes one resource: what the states of the job are for the resource, and what errors mean.
protocol ResourceJobHandler: JobKindHandler {
    associatedtype Document: Decodable & Sendable

    var environment: PipelineEnvironment { get }

    /// Every artifact whose key the job holds, asked once more before the result is recorded.
    func keys(of document: Document) -> [(key: ArtifactKey, use: GrantTerms.Use, manifest: ArtifactInput?)]

    /// What else changes with the resource in the transaction that publishes it.
    func published(_ job: JobRecord, on connection: PostgresConnection) async throws
    /// What else changes when it fails or is stopped.
    func ended(_ job: JobRecord, on connection: PostgresConnection) async throws
}

extension ResourceJobHandler {
    func published(_ job: JobRecord, on connection: PostgresConnection) async throws {}
    func ended(_ job: JobRecord, on connection: PostgresConnection) async throws {}

    /// The signed document. The engine verified the signature before it gave the task.
    func document(of job: JobRecord) throws -> Document {
        do {
            return try JSONDecoder().decode(Document.self, from: Data(job.specification.document))
        } catch {
            throw JobError.final("The job's document can't be read by this version.", cause: error)
        }
    }

    package func started(_ job: JobRecord, on connection: PostgresConnection) async throws {
        try await Catalog.move(
            job.resourceARN, incarnation: job.incarnation, from: [.createPending], to: .createInProgress, on: connection)
    }

    /// Each key once more: a grant that is gone by now was revoked.
    package func confirm(_ commit: CommitRecord, _ context: TaskContext) async throws {
        for held in keys(of: try document(of: context.job)) {
            let access = try await context.access(held.key, held.use, environment)
            defer { access.release() }
            if let input = held.manifest {
                _ = try await context.open(input, access, environment)
            } else if let manifest = commit.manifest {
                let reference = ManifestReference(
                    objectName: manifest.object, digest: manifest.digest, generation: manifest.generation,
                    keyARN: held.key.keyARN)
                _ = try await ArtifactReader.open(reference, store: environment.artifacts, access: access)
            }
        }
    }

    package func publish(_ commit: CommitRecord, of job: JobRecord, on connection: PostgresConnection) async throws {
        let manifest = commit.manifest.map {
            Resource.Manifest(objectName: $0.object, digest: $0.digest, generation: $0.generation)
        }
        try await Catalog.publish(
            job.resourceARN, incarnation: job.incarnation, manifest: manifest, attributes: nil, on: connection)
        try await published(job, on: connection)
    }

    package func failed(_ job: JobRecord, message: String, on connection: PostgresConnection) async throws {
        try await Catalog.move(
            job.resourceARN, incarnation: job.incarnation, from: [.createPending, .createInProgress, .createStopping],
            to: .createFailed, message: message, on: connection)
        try await ended(job, on: connection)
    }

    package func stopped(_ job: JobRecord, message: String?, on connection: PostgresConnection) async throws {
        try await Catalog.move(
            job.resourceARN, incarnation: job.incarnation, from: [.createPending, .createInProgress, .createStopping],
            to: .createStopped, message: message, on: connection)
        try await ended(job, on: connection)
    }

    package func jobError(for error: any Error) -> JobError? { PipelineErrors.jobError(for: error) }
}

/// What an error of a lower room means for a job, in one table.
enum PipelineErrors {
    static func jobError(for error: any Error) -> JobError? {
        switch error {
        case let error as JobError:
            return error
        case let error as KeyLeaseLost:
            return error.isRetriable ? .retriable(error.message, cause: error) : .final(error.message, cause: error)
        case let error as AWSError where KeyRefusal(error) == nil:
            // Also credentials of our own that expired: the next session, or the mended service, goes on.
            return .retriable("KMS or STS could not be asked: \(error.code).", cause: error)
        case let error as AWSError:
            return .final("\(error.code): \(error.message)", cause: error)
        case let error as TimeSeriesError:
            return .final(error.message, cause: error)
        case let error as ForecastingError:
            return .final(error.message, cause: error)
        case let error as ObjectStoreError where error.isRetriable:
            return .retriable("The object store failed: \(error.message)", cause: error)
        case let error as ObjectStoreError:
            return .final(error.message, cause: error)
        case let error as EnvelopeError:
            return .final("An artifact could not be opened: \(error)", cause: error)
        case let error as ArtifactError:
            return .final(error.message, cause: error)
        case let error as PostgresError where error.isRetriable:
            return .retriable("The jobs database could not be reached.", cause: error)
        default:
            return nil
        }
    }
}
