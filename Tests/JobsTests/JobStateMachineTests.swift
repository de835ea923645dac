import Jobs
import Testing

@Suite struct JobStateMachineTests {
    @Test func aJobOfTwoTasksGoesTheWholeWay() {
        var machine = JobStateMachine()
        let epoch = machine.epoch
        #expect(machine.begun(by: epoch) == .none)
        #expect(machine.planned(tasks: 2, by: epoch) == .insertTasks(count: 2))
        #expect(machine.taskFinished(by: epoch) == .none)
        #expect(machine.taskFinished(by: epoch) == .insertCommit)
        #expect(machine.commitBegun(by: epoch) == .writeManifest)
        #expect(machine.manifestRecorded(by: epoch) == .retireGrants)
        #expect(machine.grantsRetired(by: epoch) == .publish)
        #expect(machine.state == .succeeded)
        #expect(machine.epoch == epoch)
    }

    @Test func aPlanWithoutTasksCommitsAtOnce() {
        var machine = JobStateMachine(state: .running)
        #expect(machine.planned(tasks: 0, by: machine.epoch) == .insertCommit)
    }

    @Test func aTakenOverCommitGoesOnAtRetiring() {
        var machine = JobStateMachine(state: .retiring)
        #expect(machine.commitBegun(by: machine.epoch) == .retireGrants)
        #expect(machine.state == .retiring)
    }

    @Test func failingRaisesTheEpochAndFencesEverybody() {
        var machine = JobStateMachine(state: .running, openTasks: 3)
        let before = machine.epoch
        #expect(machine.failed(by: before) == .cleanUp(before.next))
        #expect(machine.state == .failing)
        #expect(machine.taskFinished(by: before) == .refuse(.otherEpoch))
        #expect(machine.failed(by: before) == .refuse(.otherEpoch))
        #expect(machine.failed(by: before.next) == .refuse(.wrongState(.failing)))
        #expect(machine.cleanedUp(by: before.next) == .end(.failed))
    }

    @Test(arguments: [JobState.pending, .running, .finalizing])
    func stoppingWithTracesCleansUp(state: JobState) {
        var machine = JobStateMachine(state: state)
        let before = machine.epoch
        #expect(machine.stopRequested(hasTraces: true) == .cleanUp(before.next))
        #expect(machine.stopRequested(hasTraces: true) == .alreadyEnding)
        #expect(machine.cleanedUp(by: before.next) == .end(.stopped))
        #expect(machine.stopRequested(hasTraces: true) == .alreadyEnded)
    }

    @Test func stoppingWhatNeverRanEndsAtOnce() {
        var machine = JobStateMachine()
        #expect(machine.stopRequested(hasTraces: false) == .endAtOnce)
        #expect(machine.state == .stopped)
    }

    @Test func stoppingWhileRetiringChangesNothing() {
        var machine = JobStateMachine(state: .retiring)
        let before = machine
        #expect(machine.stopRequested(hasTraces: true) == .alreadyDecided)
        #expect(machine == before)
        #expect(machine.failed(by: machine.epoch) == .refuse(.wrongState(.retiring)))
        #expect(machine.retiringAbandoned(by: machine.epoch) == .cleanUp(before.epoch.next))
    }

    /// Any order of events, with the current epoch or an older one: no terminal state is left, the epoch is raised at
    /// most once, and nothing is published behind a failure.
    @Test(arguments: [UInt64](1...40)) func noScheduleBreaksTheRules(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var machine = JobStateMachine()
            var published = 0
            var ended: JobState?
            for _ in 0..<40 {
                let before = machine
                let epoch = Bool.random(using: &random) ? machine.epoch : Epoch(1)
                let action: JobStateMachine.Action
                switch Int.random(in: 0..<9, using: &random) {
                case 0: action = machine.begun(by: epoch)
                case 1 where machine.openTasks == 0:
                    action = machine.planned(tasks: Int.random(in: 0..<4, using: &random), by: epoch)
                case 2 where machine.openTasks > 0: action = machine.taskFinished(by: epoch)
                case 3: action = machine.commitBegun(by: epoch)
                case 4: action = machine.manifestRecorded(by: epoch)
                case 5: action = machine.grantsRetired(by: epoch)
                case 6: action = machine.failed(by: epoch)
                case 7: action = machine.cleanedUp(by: epoch)
                case 8:
                    _ = machine.stopRequested(hasTraces: Bool.random(using: &random))
                    action = .none
                default: continue
                }
                if action == .publish { published += 1 }
                if case .refuse = action { #expect(machine == before, "seed \(seed)") }
                if let ended { #expect(machine.state == ended, "seed \(seed)") }
                if machine.state.isTerminal { ended = machine.state }
                #expect(machine.epoch.rawValue <= 2, "seed \(seed)")
                #expect(machine.state.isEnding == (machine.epoch == Epoch(2)) || machine.state.isTerminal, "seed \(seed)")
            }
            #expect(published <= 1 && (published == 0 || ended == .succeeded), "seed \(seed)")
        }
    }
}
