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

    /// A range of any length, read in as many pieces as the reader's bound asks for.
    func readWhole(_ range: Range<Int>) async throws -> [UInt8] {
        guard range.count > Self.maximumRangeBytes else { return try await read(range) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        let step = Self.maximumRangeBytes / pin.frameBytes * pin.frameBytes
        var position = range.lowerBound
        while position < range.upperBound {
            let end = min(position + step, range.upperBound)
            bytes += try await read(position..<end)
            position = end
        }
        return bytes
    }
}
