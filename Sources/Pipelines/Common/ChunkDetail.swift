import AWSProtocol
import Artifacts
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
        let chunk = try await begin(kind: kind, ordinal: ordinal, with: writer)
        do {
            try await finish(chunk, plaintext, ordinal: ordinal, position: position, bytes: bytes, rows: rows)
        } catch {
            await chunk.abort()
            throw error
        }
    }

    /// Reserves a chunk's name and asks for its data key: from here on the key lease covers the work that fills it.
    func begin(kind: ArtifactKind, ordinal: Int, with writer: ArtifactWriter) async throws -> ChunkWriter {
        let name = try await reserveObject(ordinal: ordinal)
        return try await writer.chunk(kind: kind, ordinal: ordinal, objectName: name)
    }

    /// Seals and records what was begun. Whoever began it aborts it when this throws.
    func finish(
        _ chunk: ChunkWriter, _ plaintext: [UInt8], ordinal: Int, position: JobJSON, bytes: Int, rows: Int
    ) async throws {
        try await chunk.append(plaintext)
        let pin = try await chunk.finish()
        try await recordChunk(
            ordinal: ordinal, object: pin.objectName, inputPosition: position, bytes: Int64(bytes), rows: Int64(rows),
            detail: JobJSON(pin: pin))
    }

    /// Pins of all chunks of the job, in the order of the plan.
    func pinsOfAllTasks() async throws -> [ChunkPin] {
        try await chunksOfAllTasks().map { try $0.detail.pin() }
    }
}
