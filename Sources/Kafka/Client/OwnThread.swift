import Glibc

/// Runs work that blocks for as long as a client lives, on a thread of its own.
enum OwnThread {
    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Returns when `body` has, with its error.
    static func run(_ body: @escaping @Sendable () throws(KafkaError) -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let work = Unmanaged.passRetained(Work { continuation.resume(with: Result { try body() }) })
            var thread = pthread_t()
            let failure = pthread_create(&thread, nil, threadMain, work.toOpaque())
            if failure == 0 {
                pthread_detach(thread)
            } else {
                work.release()
                continuation.resume(throwing: KafkaError(.connection, "no thread could be started"))
            }
        }
    }

    private static let threadMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
    }
}
