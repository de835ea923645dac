import CLinux
import Glibc

/// How a stream is sealed or opened: by how many threads, in what memory, and who is told.
package struct PassOptions: Sendable {
    /// Plaintext that a thread takes at a time, unless a single frame is longer: it should stay in a core's own cache.
    package var batchBytes = 512 << 10
    package var threads = PassOptions.processors
    /// Asked before every batch; throwing (a lost key lease, a cancelled task) ends the pass.
    package var checkpoint: @Sendable () throws -> Void = {}
    /// Told of plaintext bytes that are through, from any thread. Where a message is read twice
    /// (``ParallelOpener/passes(_:from:into:)``), it is told of them twice.
    package var progress: @Sendable (Int) -> Void = { _ in }
    /// Where the ciphertext of a signed message goes that is opened from pipe to pipe: nothing of the plaintext may
    /// leave before the signature at the end was verified. The file there never has a name.
    package var spoolFolder = PassOptions.temporaryFolder
    /// Longest such ciphertext.
    package var maximumSpoolBytes = 64 << 30

    package init() {}

    /// For processes whose main work is sealing and opening, once at their start: the cipher library allocates per frame,
    /// and frames of 128 KiB and more would each be mapped and unmapped (a fifth of the speed).
    package static func tuneAllocator() { clinux_keep_large_allocations() }

    package static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// `TMPDIR`, or the folder for what may be large: the other one is often in memory.
    private static var temporaryFolder: String {
        guard let value = getenv("TMPDIR"), value.pointee != 0 else { return "/var/tmp" }
        return String(cString: value)
    }

    /// Buffers of all threads together. Frames so long that not even one thread fits get one thread.
    package static let memoryBytes = 48 << 20

    package func framesPerBatch(frameBytes: Int) -> Int {
        max(1, min(batchBytes / frameBytes, ByteVectors.maximumCount))
    }

    /// Batches of which something is kept in memory: 16 MiB of digests.
    private static let maximumWitnessedBatches = 1 << 19

    /// The same with longer batches where so much plaintext would have too many.
    func witnessing(_ plaintextBytes: Int) -> PassOptions {
        var options = self
        options.batchBytes = max(batchBytes, plaintextBytes / Self.maximumWitnessedBatches)
        return options
    }

    /// Memory that one thread works in.
    package func bufferBytes(frameBytes: Int) -> Int {
        BatchBuffer.byteCount(frames: framesPerBatch(frameBytes: frameBytes), frameBytes: frameBytes)
    }

    /// Threads for so many frames, or for a length that is not known.
    package func threadCount(frameBytes: Int, frames: Int? = nil) -> Int {
        let fitting = Self.memoryBytes / bufferBytes(frameBytes: frameBytes)
        let perBatch = framesPerBatch(frameBytes: frameBytes)
        let batches = frames.map { max(1, ($0 + perBatch - 1) / perBatch) } ?? threads
        return max(1, min(threads, fitting, batches))
    }
}
