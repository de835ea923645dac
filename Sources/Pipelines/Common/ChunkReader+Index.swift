import Artifacts
import TimeSeries

extension ChunkReader {
    /// The index at the head of the chunk.
    func index(_ kind: ChunkKind) async throws -> ChunkIndex {
        let head = try await read(0..<min(ChunkIndex.headBytes, plaintextBytes))
        return try ChunkIndex(reading: head, expecting: kind, plaintextBytes: plaintextBytes)
    }

    /// The statistics of a chunk of observations, from the frames that hold them.
    func datasetStatistics() async throws -> DatasetStatistics {
        let index = try await index(.observations)
        return try DatasetStatistics(decoding: try await read(index.statistics))
    }
}
