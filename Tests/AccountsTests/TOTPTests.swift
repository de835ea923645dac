import Accounts
import FoundationEssentials
import Testing

@Suite struct TOTPTests {
    /// RFC 6238, appendix B, for SHA-1: the last six of its eight digits.
    @Test(arguments: [
        (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
        (2_000_000_000, "279037"), (20_000_000_000, "353130"),
    ])
    func codesAreThoseOfTheRFC(seconds: Int, code: String) {
        let step = TOTP.step(at: Date(timeIntervalSince1970: Double(seconds)))
        let seed = Array("12345678901234567890".utf8)
        #expect(seed.withUnsafeBytes { TOTP.code(seed: $0, step: step) } == code)
    }
}

/// A device's check as it changes from one code to the next.
private final class Probe {
    /// Code of a step: its last six digits, so that tests can read them.
    static func code(of step: Int64) -> String { String(String(1_000_000 + step % 1_000_000).dropFirst()) }
    static let step: Int64 = 1000
    static let now = Date(timeIntervalSince1970: Double(step) * TOTP.stepSeconds + 1)

    var check: MFACodeCheck

    init(_ check: MFACodeCheck = MFACodeCheck(lastStep: 1)) { self.check = check }

    func accepts(_ step: Int64, at time: Date = now) -> Bool {
        check.accept(Self.code(of: step), at: time, codeOf: Self.code)
    }

    func accepts(_ first: Int64, _ second: Int64, resyncing: Bool = false) -> Bool {
        check.accept(Self.code(of: first), Self.code(of: second), at: Self.now, resyncing: resyncing, codeOf: Self.code)
    }
}

@Suite struct MFACodeCheckTests {
    @Test(arguments: [(-2, false), (-1, true), (0, true), (1, true), (2, false)])
    func aCodeIsTakenWithinOneStep(offset: Int64, isTaken: Bool) {
        #expect(Probe().accepts(Probe.step + offset) == isTaken)
    }

    @Test func noCodeIsTakenTwiceNorAnOlderOneAfterIt() {
        let device = Probe()
        #expect(device.accepts(Probe.step))
        #expect(!device.accepts(Probe.step))
        #expect(!device.accepts(Probe.step - 1))
        #expect(device.accepts(Probe.step + 1))
    }

    @Test func afterFiveWrongCodesTheRightOneIsNotLookedAtForAWhile() {
        let device = Probe()
        for _ in 0..<MFACodeCheck.maximumFailures - 1 { #expect(!device.accepts(5)) }
        let tired = Probe(device.check)
        #expect(device.accepts(Probe.step))
        #expect(device.check.failures == 0)
        #expect(!tired.accepts(5))
        #expect(!tired.accepts(Probe.step))
        let almost = Probe.now.addingTimeInterval(MFACodeCheck.pauseSeconds - 1)
        #expect(!tired.accepts(TOTP.step(at: almost), at: almost))
        let later = Probe.now.addingTimeInterval(MFACodeCheck.pauseSeconds)
        #expect(tired.accepts(TOTP.step(at: later), at: later))
    }

    @Test(arguments: [(-3, false), (-2, true), (-1, true), (0, true), (1, false)])
    func twoConsecutiveCodesEnableADevice(first: Int64, isTaken: Bool) {
        let device = Probe(MFACodeCheck())
        #expect(device.accepts(Probe.step + first, Probe.step + first + 1) == isTaken)
        // Neither is good for anything afterwards.
        if isTaken { #expect(!device.accepts(Probe.step + first + 1)) }
        #expect(!Probe(MFACodeCheck()).accepts(Probe.step + first + 1, Probe.step + first))
    }

    @Test(arguments: [(-21, false), (-20, true), (20, true), (21, false)])
    func resynchronisingLearnsHowFarAClockIsOff(drift: Int64, isTaken: Bool) {
        let device = Probe()
        let second = Probe.step + drift
        #expect(device.accepts(second - 1, second, resyncing: true) == isTaken)
        guard isTaken else { return }
        #expect(device.check.driftSteps == drift)
        let later = Probe.now.addingTimeInterval(TOTP.stepSeconds * 2)
        #expect(device.accepts(TOTP.step(at: later) + drift, at: later))
    }
}
