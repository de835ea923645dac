import Artifacts
import Jobs
import TimeSeries

/// Seals the records of a task, chunk by chunk, going on behind the chunks that are durable.
///
/// A chunk's data key is asked for before its first record is made: so the output's key lease covers the work that fills it,
/// and a grant that is revoked ends a model fit and not only what is written after it.
struct RecordSink {
    private let context: TaskContext
    private let writer: ArtifactWriter
    private let kind: ArtifactKind
    private var builder: KeyedChunkBuilder
    private var chunk: ChunkWriter?
    private var ordinal: Int

    init(
        _ context: TaskContext, writer: ArtifactWriter, kind: ArtifactKind, chunkKind: ChunkKind, keyFieldCount: Int,
        limits: ChunkLimits
    ) {
        self.context = context
        self.writer = writer
        self.kind = kind
        builder = KeyedChunkBuilder(kind: chunkKind, keyFieldCount: keyFieldCount, limits: limits)
        ordinal = context.durableChunks.count
    }

    var recordCount: Int { builder.recordCount }
    var isFull: Bool { builder.isFull }

    /// Before each record is made; does nothing where a chunk is open.
    mutating func begin() async throws {
        guard chunk == nil else { return }
        chunk = try await context.begin(kind: kind, ordinal: ordinal, with: writer)
    }

    mutating func add(_ key: ItemKey, _ payload: [UInt8]) throws {
        try builder.add(key, payload)
        context.progress(bytes: 0, rows: Int64(builder.recordCount))
    }

    /// Makes what was added durable; does nothing where that is nothing.
    ///
    /// - Parameter position: where the task goes on behind this chunk.
    mutating func seal(statistics: [UInt8] = [], position: ItemPosition) async throws {
        let rows = builder.recordCount
        guard let chunk, let plaintext = builder.finish(statistics: statistics) else { return }
        try await context.finish(chunk, plaintext, ordinal: ordinal, position: try JobJSON(position), bytes: 0, rows: rows)
        self.chunk = nil
        ordinal += 1
    }

    /// Lets `body` fill it, and leaves nothing of a chunk that was not sealed when `body` throws.
    func fill(_ body: (inout RecordSink) async throws -> Void) async throws {
        var sink = self
        do {
            try await body(&sink)
        } catch {
            await sink.chunk?.abort()
            throw error
        }
    }
}

/// Where a chunk of records ended: the JSON that its row holds.
struct ItemPosition: Codable, Sendable, Hashable {
    /// Items of the task's part before it.
    var items: Int
}

extension TaskContext {
    /// Items of the task that are durable.
    func durableItems() throws -> Int {
        try durableChunks.last.map { try $0.inputPosition.decoded(as: ItemPosition.self).items } ?? 0
    }
}
