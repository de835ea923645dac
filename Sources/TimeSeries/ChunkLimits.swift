/// How large the chunks are.
package struct ChunkLimits: Sendable, Hashable {
    package static let defaultChunkBytes = 64 << 20
    package static let defaultFrameBytes = 64 << 10
    package static let minimumChunkBytes = 64 << 10
    package static let maximumChunkBytes = 1 << 30
    package static let minimumFrameBytes = 1 << 10
    package static let maximumFrameBytes = 1 << 24
    /// A partition spans at least this many frames on average, so that padding stays small beside it.
    static let framesPerPartition = 4

    /// A chunk's plaintext stays below this, but for its statistics (about 8 KiB an attribute), one frame, and one row or record.
    package let chunkBytes: Int
    /// Partitions start at multiples of this: the frame length of the message that the chunk is sealed into.
    package let frameBytes: Int

    package init(
        chunkBytes: Int = defaultChunkBytes, frameBytes: Int = defaultFrameBytes
    ) throws(TimeSeriesError) {
        guard (Self.minimumChunkBytes...Self.maximumChunkBytes).contains(chunkBytes) else {
            throw .invalidArgument("chunkBytes must be \(Self.minimumChunkBytes) to \(Self.maximumChunkBytes)")
        }
        guard (Self.minimumFrameBytes...Self.maximumFrameBytes).contains(frameBytes) else {
            throw .invalidArgument("frameBytes must be \(Self.minimumFrameBytes) to \(Self.maximumFrameBytes)")
        }
        self.chunkBytes = chunkBytes
        self.frameBytes = frameBytes
    }

    private init(unchecked: Void) {
        chunkBytes = Self.defaultChunkBytes
        frameBytes = Self.defaultFrameBytes
    }
    package static let `default` = ChunkLimits(unchecked: ())

    /// What rows and keys may take before the chunk is closed: with the padding of partitions it then stays below `chunkBytes`.
    var payloadBytes: Int { chunkBytes / 4 * 3 }

    /// A power of two, so that shares nest.
    func partitionCount(payloadBytes: Int, itemCount: Int) -> Int {
        let wanted = min(payloadBytes / (Self.framesPerPartition * frameBytes), itemCount, ChunkIndex.partitionLimit)
        var count = 1
        while count * 2 <= wanted { count *= 2 }
        return count
    }
}
