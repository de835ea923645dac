import Synchronization

/// What each batch of a message was when it was read first, so that a second reading finds the same or ends: 32 bytes
/// for each batch.
final class BatchWitness: Sendable {
    private struct State: Sendable {
        var digests: [UInt8] = []
        var isComparing = false
    }

    private let backend: any CipherBackend
    private let state = Mutex(State())

    init(backend: any CipherBackend) { self.backend = backend }

    /// From now on batches are compared.
    func compare() { state.withLock { $0.isComparing = true } }

    /// Notes or compares a batch. Any thread may come with any batch. Throws `inputOutput` where another one was noted.
    func see(_ batch: Int, _ bytes: UnsafeRawBufferPointer) throws {
        let hash = HashAlgorithm.sha256
        let running = try backend.makeDigest(hash)
        try running.update(bytes)
        let digest = try running.finish()
        try state.withLock { state in
            let place = batch * hash.byteCount..<(batch + 1) * hash.byteCount
            guard state.isComparing else {
                let missing = place.upperBound - state.digests.count
                if missing > 0 { state.digests += [UInt8](repeating: 0, count: missing) }
                state.digests.replaceSubrange(place, with: digest)
                return
            }
            guard place.upperBound <= state.digests.count, state.digests[place].elementsEqual(digest) else {
                throw EnvelopeError.inputOutput("The input changed after its signature was verified.")
            }
        }
    }
}
