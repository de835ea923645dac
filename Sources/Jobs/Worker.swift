package import Logging
package import Postgres
import ServiceLifecycle
import Synchronization
import Telemetry

/// Runs jobs of the kinds it has handlers for: claims, works, commits, cleans up. Any number of them share a database.
package final class Worker: Service, Sendable {
    let configuration: WorkerConfiguration
    let store: JobStore
    let handlers: [JobKind: any JobKindHandler]
    let verifier: SpecificationVerifier
    let retirement: GrantRetirement
    let remover: any ObjectRemover
    let faults: FaultPoints
    let logger: Logger
    private let beat: Beat
    let doorbell: Doorbell
    private let isDraining = Mutex(false)
    private let running = Mutex(0)
    let verified = VerifiedSpecifications()
    /// What the tasks of this process write most often goes in batches, each write under its own fence.
    let finishes: WriteGroup<ClaimedTask, Void>
    let chunkWrites: WriteGroup<ChunkRequest, Void>

    /// - Parameters:
    ///   - beatPool: a pool of its own, so that work which takes all connections never holds a beat up; one
    ///     connection and a statement time-out below the lease suit it.
    ///   - doorbell: rung by the consumer of the kinds' topics. Without any ring the worker looks once a beat.
    ///   - control: rung by the reader of the control topic: the next beat comes sooner.
    package init(
        configuration: WorkerConfiguration, jobs: JobsConfiguration = JobsConfiguration(), pool: PostgresPool,
        beatPool: PostgresPool, handlers: [any JobKindHandler], verifier: SpecificationVerifier,
        retirer: any GrantRetirer, lister: any GrantLister, remover: any ObjectRemover,
        doorbell: Doorbell = Doorbell(), control: Doorbell = Doorbell(),
        wakeRelay: @escaping @Sendable () -> Void = {}, faults: FaultPoints = .none, logger: Logger
    ) throws {
        try configuration.validate()
        try jobs.validate()
        self.configuration = configuration
        self.handlers = Dictionary(uniqueKeysWithValues: handlers.map { ($0.kind, $0) })
        self.verifier = verifier
        self.remover = remover
        self.doorbell = doorbell
        self.faults = faults
        self.logger = logger
        JobMetrics.declareWorker(handlers.map(\.kind))
        let store = JobStore(pool: pool, configuration: jobs, logger: logger, wakeRelay: wakeRelay)
        self.store = store
        finishes = WriteGroup(batchMax: JobStore.finishBatch) { await store.finishWork($0) }
        chunkWrites = WriteGroup(batchMax: JobStore.recordBatch) { await store.record($0) }
        retirement = GrantRetirement(store: store, retirer: retirer, lister: lister, logger: logger)
        let beatStore = JobStore(pool: beatPool, configuration: jobs, logger: logger, wakeRelay: wakeRelay)
        beat = Beat(store: beatStore, bell: control, workBell: doorbell, logger: logger)
    }

    /// Works until shutdown: then it claims nothing more, lets running tasks go on to the end of their chunk, at most
    /// for the grace, and gives them back.
    package func run() async throws {
        let beatThread = try ThreadExecutor(threads: 1)
        // Claims and what comes of attempts: between a claim and the first beat for it nothing may wait for the pool.
        let claimThread = try ThreadExecutor(threads: 1)
        let workThreads = try ThreadExecutor(threads: configuration.threads)
        defer {
            beatThread.close()
            claimThread.close()
            workThreads.close()
        }
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask(executorPreference: beatThread) { await self.beat.run() }
                group.addTask(executorPreference: claimThread) { await self.finishes.run() }
                group.addTask(executorPreference: claimThread) { await self.chunkWrites.run() }
                group.addTask(executorPreference: claimThread) { await self.beSeen() }
                await withTaskExecutorPreference(claimThread) {
                    await withDiscardingTaskGroup { tasks in
                        await self.serve(on: workThreads, into: &tasks)
                    }
                }
                // Only when the last task has ended: until then its lease must be renewed.
                self.beat.bell.close()
                self.finishes.close()
                self.chunkWrites.close()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.drain()
        }
        do {
            try await store.forget(configuration)
        } catch {
            logger.debug("This worker stays in the table for a while", metadata: ["error": "\(error)"])
        }
    }

    /// As on SIGTERM.
    package func drain() {
        isDraining.withLock { $0 = true }
        beat.drain(grace: configuration.grace)
        doorbell.ring()
    }

    /// Looks for work once a task that was put off is due: nobody else rings for it before the next beat.
    func look(after delay: Duration) {
        beat.ringWork(after: delay)
    }

    private var kinds: [(kind: JobKind, version: Int)] { handlers.values.map { ($0.kind, $0.version) } }

    /// Says every few seconds that this process runs and what it serves, until it is cancelled.
    private func beSeen() async {
        repeat {
            do {
                try await store.sight(configuration, kinds: kinds, running: running.withLock { $0 })
            } catch {
                logger.debug("This worker could not be sighted", metadata: ["error": "\(error)"])
            }
        } while (try? await Task.sleep(for: JobStore.workerSightings)) != nil
    }

    private func serve(on threads: ThreadExecutor, into tasks: inout DiscardingTaskGroup) async {
        var cursor = ClaimCursor()
        doorbell.ring()
        for await _ in doorbell.rings {
            guard !isDraining.withLock({ $0 }), !Task.isCancelled else { return }
            let free = configuration.slots - running.withLock { $0 }
            guard free > 0 else { continue }
            do {
                for task in try await store.claim(kinds, limit: free, worker: configuration.name, cursor: &cursor) {
                    countRunning(+1)
                    JobMetrics.claimed(task.job.kind)
                    // Before anything is awaited: from the claim on the beat must know the lease.
                    beat.hold(task)
                    tasks.addTask {
                        await self.scope(of: task).run(trace: task.job.trace?.child() ?? TraceContext()) {
                            await self.perform(task, on: threads)
                        }
                        self.countRunning(-1)
                        self.doorbell.ring()
                    }
                }
            } catch {
                // The next beat rings again: that is the pace at which a database that is away is asked.
                logger.warning("No tasks could be claimed", metadata: ["error": "\(error)"])
            }
        }
    }

    /// One attempt. Its work runs in a child that is cancelled when the lease is lost; what came of it is recorded
    /// here, where nothing is cancelled.
    private func perform(_ task: ClaimedTask, on threads: ThreadExecutor) async {
        defer { beat.letGo(task) }
        let began = ContinuousClock.now
        let failure = await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask(executorPreference: threads) {
                do {
                    try await self.attempt(task)
                    return nil
                } catch {
                    return error
                }
            }
            group.addTask {
                await task.lease.untilLost()
                return nil
            }
            var failure: (any Error)?
            for await result in group {
                group.cancelAll()
                failure = failure ?? result
            }
            return failure
        }
        let time = ContinuousClock.now - began
        JobMetrics.attemptEnded(task.job.kind, outcome: failure == nil ? "done" : "error", after: time)
        guard let failure else {
            return logger.log(
                level: LogScope.stepLevel, "A task is done",
                metadata: ["role": "\(task.role.rawValue)", LogField.seconds: "\(time.inSeconds)"])
        }
        await settle(task, after: failure)
    }

    private func scope(of task: ClaimedTask) -> LogScope {
        LogScope(
            job: "\(task.job.id)", task: "\(task.id)", attempt: task.attempt, kind: task.job.kind.rawValue)
    }

    private func countRunning(_ change: Int) {
        let number = running.withLock {
            $0 += change
            return $0
        }
        JobMetrics.running(number)
    }
}
