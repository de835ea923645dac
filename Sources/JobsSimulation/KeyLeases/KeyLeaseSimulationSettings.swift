import Artifacts

package struct KeyLeaseSimulationSettings: SimulatedSettings {
    package var processes = 2
    package var events = 200
    package var intervalMilliseconds = 2000
    /// Calls of KMS older than this have timed out.
    package var requestLifetime = 10_000
    package var clocksJump = true
    package var sabotage: Sabotage?

    package init() {}

    var timing: KeyLeaseTiming {
        var timing = KeyLeaseTiming(interval: .milliseconds(intervalMilliseconds))
        if sabotage == .trust { timing.trust = .seconds(1_000_000) }
        return timing
    }

    package enum Sabotage: String, Sendable, CaseIterable {
        /// Time alone ends no trust.
        case trust
        /// Trust counts from the answer.
        case question
        /// A lease is lost and its keys stay.
        case wiping
        /// A data key that comes behind the end of its lease is kept.
        case lateKeys = "late-keys"
        /// What is announced while a question is on its way is not asked again.
        case announcements
        /// A refused renewal is passed over.
        case refusals
    }
}
