import Dispatch
import ServiceLifecycle
import Synchronization

/// Tells a client's thread to end, and wakes it where it waits between two attempts.
final class StopSignal: Sendable {
    private let raised = Atomic<Bool>(false)
    private let wake = DispatchSemaphore(value: 0)

    var isRaised: Bool { raised.load(ordering: .acquiring) }

    func raise() {
        raised.store(true, ordering: .releasing)
        wake.signal()
    }

    /// Blocks the thread for `duration` or until raised.
    func wait(_ duration: Duration) {
        if isRaised { return }
        _ = wake.wait(timeout: .now() + .milliseconds(Int(duration.milliseconds)))
    }

    /// Runs a client's loop on a thread of its own; graceful shutdown and cancellation raise this signal.
    func runUntilStopped(_ loop: @escaping @Sendable () throws(KafkaError) -> Void) async throws {
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await OwnThread.run(loop)
            } onGracefulShutdown: {
                self.raise()
            }
        } onCancel: {
            raise()
        }
    }
}
