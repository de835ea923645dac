import AWSProtocol
import Artifacts
import ArtifactsTesting
import Envelope
import EnvelopeKMS
import Foundation
import ObjectStore
import Secrets
import Synchronization
import Testing

@Suite struct KeyLeaseTests {
    private static let interval = Duration.seconds(2)

    /// A probe that answers as it is told, or not at all.
    private final class FakeProbe: KeyLeaseProbe {
        struct State: Sendable {
            var answer: KeyLeaseAnswer? = .confirmed
            var asked = 0
        }
        let state = Mutex(State())

        func set(_ answer: KeyLeaseAnswer?) { state.withLock { $0.answer = answer } }
        var asked: Int { state.withLock { $0.asked } }

        func ask(_ subject: KeyLeaseSubject) async -> KeyLeaseAnswer {
            let answer = state.withLock { state in
                state.asked += 1
                return state.answer
            }
            if let answer { return answer }
            // Silent until the question is withdrawn.
            while !Task.isCancelled { await Task.yield() }
            return .unanswered("withdrawn")
        }
    }

    private struct Fixture {
        let clock = FakeClock()
        let probe = FakeProbe()
        let keeper: KeyLeaseKeeper
        let lease: KeyLease
        let provider: LeasedDataKeyProvider

        init() {
            keeper = KeyLeaseKeeper(timing: .authority, clock: clock.clock, logger: quietLogger())
            lease = keeper.lease(resource: "arn:r", keyARN: keyARN, probe: probe)
            provider = LeasedDataKeyProvider(
                KMSDataKeyProvider(kms: FakeKMS(), keyARN: keyARN), keyARN: keyARN, lease: lease)
        }

        /// Runs the keeper while `body` does.
        func running(_ body: (Fixture) async throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await keeper.run() }
                defer { group.cancelAll() }
                try await body(self)
            }
        }

        /// Goes on by `count` beats; each question was put, and its answer (unless the probe is silent) heard.
        func beat(_ count: Int = 1) async throws {
            for _ in 0..<count {
                let (asked, unanswered) = (probe.asked, lease.standing?.unanswered ?? 0)
                clock.advance(KeyLeaseTests.interval)
                try await eventually("a renewal") { probe.asked > asked || reason != nil }
                try await eventually("its answer") {
                    switch probe.state.withLock({ $0.answer }) {
                    case .confirmed: lease.standing?.age == .zero
                    case .unanswered: reason != nil || lease.standing?.unanswered != unanswered
                    default: true
                    }
                }
            }
        }

        var reason: KeyLeaseLost.Reason? {
            do {
                try lease.check()
                return nil
            } catch {
                return error.reason
            }
        }
    }

    @Test func renewalsKeepALease() async throws {
        try await Fixture().running { f in
            let key = try await f.provider.generate(context: ["a": "b"])
            try await f.beat(5)
            #expect(f.reason == nil)
            #expect(!key.secret.isWiped)
        }
    }

    @Test func idleLeaseAsksNothing() async throws {
        try await Fixture().running { f in
            f.clock.advance(.seconds(100))
            f.keeper.renewNow()
            try await f.lease.confirm()
            #expect(f.probe.asked == 0)
            #expect(f.reason == nil)
        }
    }

    @Test func refusalWipesAndTellsAtOnce() async throws {
        try await Fixture().running { f in
            let key = try await f.provider.generate(context: [:])
            let recorder = LossRecorder(secret: key.secret)
            _ = f.lease.onLoss { recorder.note($0) }
            f.probe.set(.denied("The grant was revoked."))
            f.keeper.renewNow()
            try await eventually("the loss") { f.reason != nil }
            #expect(f.reason == .denied("The grant was revoked."))
            #expect(key.secret.isWiped)
            try await eventually("the handler") { recorder.losses.count == 1 }
            #expect(recorder.wipedWhenTold)
            let error = try #require(recorder.losses.first)
            #expect(error.message.contains(keyARN) && error.message.contains("revoked") && !error.isRetriable)
            await #expect(throws: KeyLeaseLost.self) { try await f.provider.generate(context: [:]) }
        }
    }

    private final class LossRecorder: Sendable {
        private let secret: SharedSecret
        private let state = Mutex<(losses: [KeyLeaseLost], wiped: Bool)>(([], false))
        init(secret: SharedSecret) { self.secret = secret }
        func note(_ loss: KeyLeaseLost) {
            let wiped = secret.isWiped
            state.withLock { $0 = ($0.losses + [loss], wiped) }
        }
        var losses: [KeyLeaseLost] { state.withLock { $0.losses } }
        var wipedWhenTold: Bool { state.withLock { $0.wiped } }
    }

    @Test func oneSilentRenewalIsForgivenTwoAreNot() async throws {
        try await Fixture().running { f in
            let key = try await f.provider.generate(context: [:])
            f.probe.set(.unanswered("503"))
            try await f.beat()
            f.probe.set(.confirmed)
            try await f.beat(2)
            #expect(f.reason == nil)
            f.probe.set(.unanswered("503"))
            try await f.beat(2)
            try await eventually("the loss") { f.reason != nil }
            #expect(f.reason == .unreachable("503"))
            #expect(key.secret.isWiped)
        }
    }

    @Test func hangingQuestionsCountAsUnanswered() async throws {
        try await Fixture().running { f in
            let key = try await f.provider.generate(context: [:])
            f.probe.set(nil)
            try await f.beat(2)
            f.clock.advance(Self.interval)
            try await eventually("the loss") { f.reason != nil }
            #expect(key.secret.isWiped)
            guard case .unreachable = f.reason else {
                Issue.record("lost for another reason")
                return
            }
        }
    }

    @Test func processThatWasHeldUpDoesNotTrustItsLease() async throws {
        // No keeper runs: as after a long stop of the process.
        let f = Fixture()
        _ = try await f.provider.generate(context: [:])
        f.clock.advance(KeyLeaseTiming.authority.trust - .milliseconds(1))
        #expect(f.reason == nil)
        f.clock.advance(.milliseconds(1))
        #expect(f.reason == .stale)
        let late = SharedSecret(SecretBytes.random(count: 4))
        #expect(throws: KeyLeaseLost.self) { try f.lease.register(late) }
        #expect(late.isWiped)
    }

    @Test func confirmAsksOnceMore() async throws {
        let f = Fixture()
        _ = try await f.provider.generate(context: [:])
        try await f.lease.confirm()
        #expect(f.probe.asked == 1)
        f.probe.set(.denied("disabled"))
        await #expect(throws: KeyLeaseLost.self) { try await f.lease.confirm() }
        #expect(f.reason == .denied("disabled"))
    }

    @Test func confirmWithoutAnswerEndsTheLease() async throws {
        let f = Fixture()
        _ = try await f.provider.generate(context: [:])
        f.probe.set(.unanswered("503"))
        await #expect(throws: KeyLeaseLost.self) { try await f.lease.confirm() }
        #expect(f.probe.asked == 2)
    }

    @Test func releaseWipesAndStopsRenewals() async throws {
        try await Fixture().running { f in
            let key = try await f.provider.generate(context: [:])
            let sealer = try await MessageSealer(provider: f.provider, context: [:])
            try f.lease.register(sealer)
            f.lease.release()
            #expect(key.secret.isWiped)
            #expect(throws: SecretError.wiped) {
                var output = [UInt8](repeating: 0, count: 100)
                _ = try output.withUnsafeMutableBytes { output in
                    try [1].withUnsafeBytes { try sealer.sealFrame(0, $0, isFinal: true, into: output) }
                }
            }
            try await eventually("the keeper to let go") { f.keeper.count == 0 }
            #expect(f.reason == .ended)
        }
    }

    @Test func refusedDataKeyEndsTheLeaseAndSaysWhichArtifactKeyAndRole() async throws {
        let kms = FakeKMS()
        let access = ArtifactAccess(
            scope: try scope(), keyARN: keyARN, roleARN: "arn:aws:iam::123456789012:role/r", kms: kms,
            keeper: KeyLeaseKeeper(clock: FakeClock().clock, logger: quietLogger()))
        let first = try await access.provider.generate(context: [:])
        // What says nothing of the key leaves it alone.
        for code in ["ExpiredTokenException", "UnrecognizedClientException", "RequestCancelled", "ThrottlingException"] {
            kms.fail(AWSError(code: code, message: "no"))
            await #expect { try await access.provider.generate(context: [:]) } throws: { ($0 as? AWSError)?.code == code }
        }
        #expect(!first.secret.isWiped)
        kms.fail(FakeKMS.revoked)
        let lost = await #expect(throws: KeyLeaseLost.self) { try await access.provider.generate(context: [:]) }
        #expect(first.secret.isWiped)
        #expect(lost?.isRetriable == false)
        for part in [access.scope.resource, keyARN, "role/r", "AccessDeniedException", "revoked or retired"] {
            #expect(lost?.message.contains(part) == true, "\(lost?.message ?? "")")
        }
        #expect(throws: KeyLeaseLost.self) { try access.lease.check() }
    }

    @Test(arguments: [
        ("DisabledException", "arn:k is disabled.", "DisabledException: arn:k is disabled."),
        ("KMSInvalidStateException", "", "KMSInvalidStateException."),
    ])
    func refusalKeepsTheWordsOfKMSWhereTheyHelp(code: String, message: String, text: String) {
        #expect(KeyRefusal(AWSError(code: code, message: message))?.text == text)
    }

    @Test func keeperThatStopsEndsItsLeases() async throws {
        let f = Fixture()
        let key = try await f.provider.generate(context: [:])
        try await f.running { _ in }
        #expect(key.secret.isWiped)
        #expect(f.reason == .ended)
    }

    @Test func guardedWorkStopsWithTheReason() async throws {
        try await Fixture().running { f in
            _ = try await f.provider.generate(context: [:])
            #expect(try await withKeyLeases([f.lease]) { 7 } == 7)
            f.probe.set(.denied("The key was disabled."))
            await #expect {
                try await withKeyLeases([f.lease]) {
                    f.keeper.renewNow()
                    // Work that ends with any error of its own when it is cancelled.
                    while !Task.isCancelled { await Task.yield() }
                    throw SecretError.wiped
                }
            } throws: {
                ($0 as? KeyLeaseLost)?.reason == .denied("The key was disabled.")
            }
        }
    }

    @Test func revokedGrantStopsAChunkInTheMaking() async throws {
        try await withStore { store, _ in
            let (kms, clock) = (FakeKMS(), FakeClock())
            let keeper = KeyLeaseKeeper(timing: .authority, clock: clock.clock, logger: quietLogger())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await keeper.run() }
                defer { group.cancelAll() }
                let access = try access(kms, keeper: keeper)
                let chunk = try await ArtifactWriter(store: store, access: access, attempt: attempt)
                    .chunk(kind: .observations, ordinal: 0)
                try await chunk.append(pattern(1000))
                kms.fail(FakeKMS.revoked)
                keeper.renewNow()
                try await eventually("the loss") { (try? access.lease.check()) == nil }
                await #expect { try await chunk.finish() } throws: {
                    guard case .denied(let text) = ($0 as? KeyLeaseLost)?.reason else { return false }
                    return text.hasPrefix("AccessDeniedException: the grant was revoked")
                }
                #expect(try await store.list(prefix: .init("artifacts/")).isEmpty)
            }
        }
    }
}
