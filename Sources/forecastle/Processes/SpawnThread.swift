import Foundation
import Synchronization

/// One thread for the life of the process from which all children are spawned.
///
/// The kernel sends a child's parent-death signal when the *thread* that spawned it ends, and threads of Swift's pool may
/// end at any time.
enum SpawnThread {
    private static let queue = Mutex<[@Sendable () -> Void]>([])
    private static let wake = DispatchSemaphore(value: 0)
    /// Started once, at the first use.
    private static let started: Void = {
        let thread = Thread {
            while true {
                wake.wait()
                let work = queue.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                work?()
            }
        }
        thread.name = "spawn"
        thread.start()
    }()

    static func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        _ = started
        return try await withCheckedThrowingContinuation { continuation in
            queue.withLock { $0.append { continuation.resume(with: Result(catching: body)) } }
            wake.signal()
        }
    }
}
