import Artifacts
import AWSProtocol
import Jobs

/// The pin of a chunk as a row of its task holds it until the manifest does. No value from the data.
extension JobJSON {
    init(pin: ChunkPin) {
        self.init(text: pin.json.serializedString)
    }

    func pin() throws -> ChunkPin {
        try ChunkPin(json: try JSONValue.parse(text))
    }
}

extension TaskContext {
    /// Seals one chunk of this task and records it.
    ///
    /// - Parameters:
    ///   - position: where in the input it ends.
    ///   - bytes: of input; so are `rows`.
    func seal(
        _ plaintext: [UInt8], kind: ArtifactKind, ordinal: Int, with writer: ArtifactWriter, position: JobJSON, bytes: Int,
        rows: Int
    ) async throws {
        let name = try await reserveObject(ordinal: ordinal)
        let chunk = try await writer.chunk(kind: kind, ordinal: ordinal, objectName: name)
        do {
            try await chunk.append(plaintext)
            let pin = try await chunk.finish()
            try await recordChunk(
                ordinal: ordinal, object: pin.objectName, inputPosition: position, bytes: Int64(bytes), rows: Int64(rows),
                detail: JobJSON(pin: pin))
        } catch {
            await chunk.abort()
            throw error
        }
    }

    /// Pins of all chunks of the job, in the order of the plan.
    func pinsOfAllTasks() async throws -> [ChunkPin] {
        try await chunksOfAllTasks().map { try $0.detail.pin() }
    }
}
