import Glibc

/// Threads of their own for Swift tasks that must not wait for the cooperative pool, or must not occupy it.
///
/// The beat has one thread: it goes on while every other thread computes. Work has its own threads: a long model fit
/// blocks none of those that drivers and timers resume on.
///
/// `@unchecked Sendable`: `jobs`, `head` and `isClosed` are touched only while `mutex` is held; the two pointers never
/// change and are freed in `deinit`, which cannot come before `close()` since every thread keeps this object.
final class ThreadExecutor: TaskExecutor, @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [UnownedJob] = []
    private var head = 0
    private var isClosed = false

    init(threads: Int) throws {
        precondition(threads > 0, "An executor needs a thread.")
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        for _ in 0..<threads { try startThread() }
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Ends the threads once the queue is empty. All tasks that prefer this executor must have ended.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    fileprivate func runJobs() {
        while let job = next() { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func next() -> UnownedJob? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while head == jobs.count {
            if isClosed { return nil }
            pthread_cond_wait(condition, mutex)
        }
        let job = jobs[head]
        head += 1
        if head == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            head = 0
        }
        return job
    }

    private func startThread() throws {
        var identifier: pthread_t = 0
        let keeper = Unmanaged.passRetained(self)
        let failure = pthread_create(&identifier, nil, threadExecutorMain, keeper.toOpaque())
        guard failure == 0 else {
            keeper.release()
            close()
            throw JobError.retriable("No thread could be started (errno \(failure)).")
        }
        pthread_detach(identifier)
    }
}

private func threadExecutorMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let executor = Unmanaged<ThreadExecutor>.fromOpaque(context).takeRetainedValue()
    executor.runJobs()
    return nil
}
