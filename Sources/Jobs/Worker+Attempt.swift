import Logging
import Postgres

extension Worker {
    func attempt(_ task: ClaimedTask) async throws {
        try await faults.reach(.taskClaimed)
        // By the verified kind of the job, not by the column that the claim went by.
        guard let handler = handlers[task.job.kind] else {
            throw JobError.retriable("No handler for jobs of this kind.")
        }
        let isGenuine = verified.verify(task.job, by: verifier)
        if task.role == .cleanup {
            return try await cleanUp(task, handler: handler, trustsSpecification: isGenuine)
        }
        guard isGenuine else { return try await refuse(task) }
        let chunks = task.fence == Fence(1) ? [] : try await store.chunks(of: task)
        let context = TaskContext(
            task, durableChunks: chunks, store: store, chunks: chunkWrites, faults: faults)
        switch task.role {
        case .plan: try await plan(task, handler: handler, context)
        case .work: try await work(task, handler: handler, context)
        case .commit: try await commit(task, handler: handler, context)
        case .cleanup: preconditionFailure("Clean-up was carried out above.")
        }
    }

    private func plan(_ task: ClaimedTask, handler: any JobKindHandler, _ context: TaskContext) async throws {
        try await store.begin(task, handler: handler)
        let tasks = try await handler.plan(context)
        guard tasks.count <= TaskSpecification.tasksMax else {
            throw JobError.final("The input would take more than \(TaskSpecification.tasksMax) tasks.")
        }
        try await faults.reach(.planned)
        try context.checkStillOurs()
        try await store.finishPlan(task, tasks: tasks)
    }

    private func work(_ task: ClaimedTask, handler: any JobKindHandler, _ context: TaskContext) async throws {
        try await handler.run(task.specification, context)
        try await faults.reach(.taskBeforeFinish)
        try context.checkStillOurs()
        try await finishes.submit(task)
    }

    /// Somebody changed the job in the tables. No role is assumed for it and no key used.
    private func refuse(_ task: ClaimedTask) async throws {
        JobMetrics.refused(task.job.kind)
        logger.critical(
            "ALARM: a job's specification does not match its signature",
            metadata: ["job": "\(task.job.id)", "task": "\(task.id)"])
        let message = "The job was refused: its specification is not the one that was accepted."
        if task.role == .commit, try await store.abandonRetiring(task, message: message) { return }
        throw JobError.final(message)
    }

    /// Records what came of an attempt that ended in an error. Whatever fails here is made good by the lease's end.
    func settle(_ task: ClaimedTask, after failure: any Error) async {
        let error = jobError(failure, of: task)
        var metadata: Logger.Metadata = [
            "job": "\(task.job.id)", "task": "\(task.id)", "role": "\(task.role.rawValue)", "fence": "\(task.fence)",
            "code": "\(error.code)", "error": "\(error.message)",
        ]
        if let cause = error.cause { metadata["cause"] = "\(cause)" }
        do {
            switch task.lease.loss {
            case .taken, .trustEnded:
                logger.info("A lease was lost; the attempt ends without a trace", metadata: metadata)
            case .cancelled:
                logger.info("A job was stopped or failed; the attempt ends", metadata: metadata)
                if try await store.releaseCancelled(task) { doorbell.ring() }
            case .drained:
                try await store.release(task)
            case nil:
                logger.log(level: error.code == .released ? .info : .warning, "An attempt ended", metadata: metadata)
                try await settle(task, error)
            }
        } catch {
            logger.warning(
                "What came of an attempt could not be recorded",
                metadata: ["job": "\(task.job.id)", "task": "\(task.id)", "error": "\(error)"])
        }
    }

    private func settle(_ task: ClaimedTask, _ error: JobError) async throws {
        switch error.code {
        case .released:
            try await store.release(task)
        case .leaseLost:
            // The statement noticed before the beat did.
            if try await store.releaseCancelled(task) { doorbell.ring() }
        case .retriable:
            let backoff = store.configuration.retry(of: task.job.kind)
                .backoff(afterFailures: task.failures, random: .random(in: 0..<1))
            if try await store.retry(task, after: backoff, error: error.message) {
                JobMetrics.retried(task.job.kind)
                return look(after: backoff)
            }
            try await store.settling(task, as: .failed) {
                try await store.fail(task, message: error.message, death: .retriesExhausted)
            }
        default:
            do {
                try await store.settling(task, as: .failed) { try await store.fail(task, message: error.message) }
            } catch let refusal as JobError where refusal.code == .leaseLost {
                // What must finish (clean-up, publishing what is decided) cannot fail its job: it is tried again.
                let backoff = store.configuration.retry(of: task.job.kind).cap
                if try await !store.retry(task, after: backoff, error: error.message) {
                    try await store.releaseCancelled(task)
                }
            }
        }
    }

    private func jobError(_ failure: any Error, of task: ClaimedTask) -> JobError {
        if let error = failure as? JobError { return error }
        if let error = handlers[task.job.kind]?.jobError(for: failure) { return error }
        if failure is PostgresError { return .retriable("The job database did not answer.", cause: failure) }
        return .retriable("An internal error occurred.", cause: failure)
    }
}
