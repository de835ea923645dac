import Glibc
import Synchronization

/// Threads of their own for work that blocks on files and pipes, which must not hold up the cooperative pool.
enum ThreadTeam {
    /// Runs `body` on `count` threads at once and returns when the last one has ended.
    static func run(_ count: Int, _ body: @escaping @Sendable () -> Void) async {
        precondition(count > 0)
        let left = Atomic<Int>(count)
        let counter = Counter(left)
        await withCheckedContinuation { continuation in
            let work: @Sendable () -> Void = {
                body()
                if counter.left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { continuation.resume() }
            }
            for _ in 0..<count { start(work) }
        }
    }

    private final class Counter: Sendable {
        let left: Atomic<Int>
        init(_ left: consuming Atomic<Int>) { self.left = left }
    }

    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func start(_ body: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(Work(body))
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, runWork, context.toOpaque())
        guard result == 0 else {
            // Out of threads: slower, not wrong. The caller is suspended, and one batch after the other still passes.
            context.release()
            body()
            return
        }
        pthread_detach(thread)
    }

    private static let runWork: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        Unmanaged<Work>.fromOpaque(context!).takeRetainedValue().body()
        return nil
    }
}
