import Artifacts
import Jobs

/// The rights of a training job: to write the predictor and to read each import, under a grant each.
struct TrainingAccess: Sendable {
    let output: ArtifactAccess
    let inputs: [(input: ArtifactInput, access: ArtifactAccess)]

    init(_ document: TrainDocument, _ context: TaskContext, _ environment: PipelineEnvironment) async throws {
        var held = [try await context.access(document.output, .write, environment)]
        do {
            for input in document.inputs { held.append(try await context.access(input.key, .read, environment)) }
        } catch {
            for access in held { access.release() }
            throw error
        }
        output = held[0]
        inputs = zip(document.inputs, held.dropFirst()).map { ($0, $1) }
    }

    var leases: [KeyLease] { [output.lease] + inputs.map(\.access.lease) }

    /// Throws where one of the keys may not be used any more.
    func check() throws {
        try output.lease.check()
        for input in inputs { try input.access.lease.check() }
    }

    func release() {
        output.release()
        for input in inputs { input.access.release() }
    }
}

/// The imports that a job trains on, opened, and what they say of the data.
struct TrainingData: Sendable {
    /// In the order in which the imports were made.
    let readers: [ArtifactReader]
    let extent: DataExtent

    init(_ access: TrainingAccess, _ context: TaskContext, _ environment: PipelineEnvironment) async throws {
        var readers: [ArtifactReader] = []
        var extents: [DataExtent] = []
        for (input, access) in access.inputs {
            let reader = try await context.open(input, access, environment)
            guard let extent = try DataExtent(sections: reader.manifest.sections) else {
                throw JobError.final(
                    "\(input.key.resource) holds no target time series that this version reads; import it again.")
            }
            readers.append(reader)
            extents.append(extent)
        }
        guard let extent = DataExtent(merging: extents) else {
            throw JobError.final("There is no dataset import job to train on.")
        }
        self.readers = readers
        self.extent = extent
    }
}
