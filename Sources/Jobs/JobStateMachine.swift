/// Every decision about a job, without any I/O: an event goes in, what must now be written comes out.
///
/// The shell (`JobTransition`) holds the job's row lock while it asks, and writes what it is told under the state
/// and epoch that it asked with.
package struct JobStateMachine: Sendable, Equatable {
    package private(set) var state: JobState
    package private(set) var epoch: Epoch
    package private(set) var openTasks: Int

    package init(state: JobState = .pending, epoch: Epoch = Epoch(1), openTasks: Int = 0) {
        self.state = state
        self.epoch = epoch
        self.openTasks = openTasks
    }

    package enum Refusal: Sendable, Equatable {
        /// The job failed or was stopped since: whoever asks belongs to its past.
        case otherEpoch
        case wrongState(JobState)
    }

    /// What every event but stopping is answered with.
    package enum Action: Sendable, Equatable {
        case none
        case insertTasks(count: Int)
        case insertCommit
        case writeManifest
        case retireGrants
        case publish
        /// Cancel all tasks of the older epoch, set grants to retiring, insert the clean-up under this one.
        case cleanUp(Epoch)
        case end(JobState)
        /// Begin anew, under this epoch.
        case plan(Epoch)
        case refuse(Refusal)
    }

    package enum StopAction: Sendable, Equatable {
        /// Nothing of it ever ran and nothing is left of it: it ends in the same transaction.
        case endAtOnce
        case cleanUp(Epoch)
        /// The manifest is recorded; the stop is accepted and changes nothing.
        case alreadyDecided
        case alreadyEnding
        case alreadyEnded
    }

    /// The plan task was claimed and verified.
    package mutating func begun(by epoch: Epoch) -> Action {
        if let refusal = refusal(epoch, in: .pending, .running) { return .refuse(refusal) }
        state = .running
        return .none
    }

    package mutating func planned(tasks count: Int, by epoch: Epoch) -> Action {
        precondition(count >= 0, "A plan cannot hold a negative number of tasks.")
        if let refusal = refusal(epoch, in: .running) { return .refuse(refusal) }
        openTasks = count
        return count == 0 ? .insertCommit : .insertTasks(count: count)
    }

    package mutating func taskFinished(by epoch: Epoch) -> Action {
        if let refusal = refusal(epoch, in: .running) { return .refuse(refusal) }
        precondition(openTasks > 0, "A task finished in a job that has none open.")
        openTasks -= 1
        return openTasks == 0 ? .insertCommit : .none
    }

    /// The commit task was claimed, perhaps not for the first time.
    package mutating func commitBegun(by epoch: Epoch) -> Action {
        if let refusal = refusal(epoch, in: .running, .finalizing, .retiring) { return .refuse(refusal) }
        guard openTasks == 0 else { return .refuse(.wrongState(state)) }
        if state == .retiring { return .retireGrants }
        state = .finalizing
        return .writeManifest
    }

    package mutating func manifestRecorded(by epoch: Epoch) -> Action {
        if let refusal = refusal(epoch, in: .finalizing) { return .refuse(refusal) }
        state = .retiring
        return .retireGrants
    }

    package mutating func grantsRetired(by epoch: Epoch) -> Action {
        if let refusal = refusal(epoch, in: .retiring) { return .refuse(refusal) }
        state = .succeeded
        return .publish
    }

    /// The deadline for retiring passed, or the specification turned out forged: only so a decided job still fails.
    package mutating func retiringAbandoned(by epoch: Epoch) -> Action {
        if let refusal = refusal(epoch, in: .retiring) { return .refuse(refusal) }
        return fence(into: .failing)
    }

    package mutating func failed(by epoch: Epoch) -> Action {
        if let refusal = refusal(epoch, in: .pending, .running, .finalizing) { return .refuse(refusal) }
        return fence(into: .failing)
    }

    /// - Parameter hasTraces: whether a lease may still run, or a grant or an object of the job exists.
    package mutating func stopRequested(hasTraces: Bool) -> StopAction {
        switch state {
        case .succeeded, .failed, .stopped: return .alreadyEnded
        case .failing, .stopping: return .alreadyEnding
        case .retiring: return .alreadyDecided
        case .pending, .running, .finalizing:
            epoch = epoch.next
            openTasks = 0
            state = hasTraces ? .stopping : .stopped
            return hasTraces ? .cleanUp(epoch) : .endAtOnce
        }
    }

    package mutating func cleanedUp(by epoch: Epoch) -> Action {
        if let refusal = refusal(epoch, in: .failing, .stopping) { return .refuse(refusal) }
        state = state == .failing ? .failed : .stopped
        return .end(state)
    }

    /// An operator has a failed job run again. Whatever still runs of its earlier life loses by epoch.
    package mutating func redriven() -> Action {
        guard state == .failed else { return .refuse(.wrongState(state)) }
        epoch = epoch.next
        openTasks = 0
        state = .pending
        return .plan(epoch)
    }

    private mutating func fence(into ending: JobState) -> Action {
        epoch = epoch.next
        openTasks = 0
        state = ending
        return .cleanUp(epoch)
    }

    private func refusal(_ asked: Epoch, in allowed: JobState...) -> Refusal? {
        if asked != epoch { return .otherEpoch }
        return allowed.contains(state) ? nil : .wrongState(state)
    }
}
