import Synchronization

/// Specifications whose signature this process has verified, so that the tasks of one job cost one verification.
///
/// A row is believed only where all that was signed, and the signature, are byte for byte what was verified.
final class VerifiedSpecifications: Sendable {
    private struct State {
        var known: [JobID: (specification: JobSpecification, signature: [UInt8])] = [:]
        var order: [JobID] = []
        var bytes = 0
    }

    /// The documents of so many bytes are kept; the oldest make room.
    private static let bytesMax = 16 << 20
    private static let jobsMax = 1024

    private let state = Mutex(State())

    func verify(_ job: JobRecord, by verifier: SpecificationVerifier) -> Bool {
        let isKnown = state.withLock { state in
            state.known[job.id].map { $0.specification == job.specification && $0.signature == job.signature } ?? false
        }
        if isKnown { return true }
        guard verifier.verify(job.specification, signature: job.signature) else { return false }
        state.withLock { state in
            guard state.known.updateValue((job.specification, job.signature), forKey: job.id) == nil else { return }
            state.order.append(job.id)
            state.bytes += job.specification.document.count
            while state.order.count > Self.jobsMax || state.bytes > Self.bytesMax, let oldest = state.order.first {
                state.order.removeFirst()
                state.bytes -= state.known.removeValue(forKey: oldest)?.specification.document.count ?? 0
            }
        }
        return true
    }
}
