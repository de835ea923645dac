import CLinux
import Glibc

/// How a stream is sealed or opened: by how many threads, in what memory, and who is told.
package struct PassOptions: Sendable {
    /// Plaintext that a thread takes at a time, unless a single frame is longer.
    package var batchBytes = 1 << 20
    package var threads = PassOptions.processors
    /// Asked before every batch; throwing (a lost key lease, a cancelled task) ends the pass.
    package var checkpoint: @Sendable () throws -> Void = {}
    /// Told of plaintext bytes that are through, from any thread.
    package var progress: @Sendable (Int) -> Void = { _ in }

    package init() {}

    /// For processes whose main work is sealing and opening, once at their start: the cipher library allocates per frame,
    /// and frames of 128 KiB and more would each be mapped and unmapped (a fifth of the speed).
    package static func tuneAllocator() { clinux_keep_large_allocations() }

    package static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Buffers of all threads together, plaintext and sealed. Frames so long that not even one thread fits get one thread.
    static let memoryBytes = 48 << 20

    func framesPerBatch(frameBytes: Int) -> Int { max(1, batchBytes / frameBytes) }

    func threadCount(frameBytes: Int) -> Int {
        let perThread = 2 * framesPerBatch(frameBytes: frameBytes) * frameBytes
        return max(1, min(threads, Self.memoryBytes / perThread))
    }
}
