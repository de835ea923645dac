import Secrets

package import struct FoundationEssentials.Date

/// Decides about codes of one device: which are right, that none counts twice, and how often one may guess. Pure.
package struct MFACodeCheck: Sendable, Equatable {
    /// Steps around the present one whose codes are taken, for clocks that differ.
    package static let window: Int64 = 1
    /// Steps that a device may be found away when it is synchronised again.
    package static let resyncWindow: Int64 = 20
    /// Wrong codes in a row; after them no code is looked at for `pauseSeconds`.
    package static let maximumFailures = 5
    package static let pauseSeconds = 900.0

    /// The step of the last code that was taken; nil before the device is enabled.
    package var lastStep: Int64?
    package var driftSteps: Int64
    package var failures: Int
    package var failedAt: Date?

    package init(lastStep: Int64? = nil, driftSteps: Int64 = 0, failures: Int = 0, failedAt: Date? = nil) {
        self.lastStep = lastStep
        self.driftSteps = driftSteps
        self.failures = failures
        self.failedAt = failedAt
    }

    /// Takes a code once. Whatever is wrong, the answer is the same.
    package mutating func accept(_ code: String, at now: Date, codeOf: (Int64) -> String) -> Bool {
        guard mayTry(at: now) else { return false }
        let present = TOTP.step(at: now) + driftSteps
        let found = (present - Self.window...present + Self.window).first { isNew($0) && sameCode(code, codeOf($0)) }
        return settle(found, at: now)
    }

    /// Takes two codes of consecutive steps, the second of them about now. With `resyncing` the device may be far off, and
    /// how far is kept.
    package mutating func accept(_ first: String, _ second: String, at now: Date, resyncing: Bool, codeOf: (Int64) -> String)
        -> Bool
    {
        guard mayTry(at: now) else { return false }
        let clock = TOTP.step(at: now)
        let window = resyncing ? Self.resyncWindow : Self.window
        let found = (clock - window...clock + window).first {
            isNew($0 - 1) && sameCode(first, codeOf($0 - 1)) && sameCode(second, codeOf($0))
        }
        if let found { driftSteps = resyncing ? found - clock : 0 }
        return settle(found, at: now)
    }

    private mutating func settle(_ step: Int64?, at now: Date) -> Bool {
        guard let step else {
            failures += 1
            failedAt = now
            return false
        }
        lastStep = step
        failures = 0
        failedAt = nil
        return true
    }

    private mutating func mayTry(at now: Date) -> Bool {
        guard failures >= Self.maximumFailures, let failedAt else { return true }
        guard now.timeIntervalSince(failedAt) >= Self.pauseSeconds else { return false }
        failures = 0
        return true
    }

    private func isNew(_ step: Int64) -> Bool { lastStep.map { step > $0 } ?? true }

    private func sameCode(_ code: String, _ other: String) -> Bool {
        constantTimeEquals(Array(code.utf8), Array(other.utf8))
    }
}
