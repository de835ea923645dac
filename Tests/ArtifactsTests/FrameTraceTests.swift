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

/// What is told of a key lease: every batch of frames, and its end behind the wiping.
@Suite struct FrameTraceTests {
    private final class Told: Sendable {
        private let events = Mutex<[FrameTrace.Event]>([])
        var all: [FrameTrace.Event] { events.withLock { $0 } }
        func copy(_ other: Told) {
            let all = other.all
            events.withLock { $0 = all }
        }
        var trace: FrameTrace {
            FrameTrace { event, resource, key in
                #expect(!resource.isEmpty && key == keyARN)
                self.events.withLock { $0.append(event) }
            }
        }
    }

    private func keeper(_ told: Told) -> KeyLeaseKeeper { KeyLeaseKeeper(trace: told.trace, logger: quietLogger()) }

    @Test func everyBatchOfFramesIsTold() async throws {
        let told = Told()
        let rights = try access(FakeKMS(), keeper: keeper(told))
        let bytes = pattern(3 << 20)
        try await withStore { store, _ in
            let writer = ArtifactWriter(store: store, access: rights, attempt: ArtifactAttempt(job: "j", task: "t", fence: 1))
            let chunk = try await writer.chunk(kind: .observations, ordinal: 0, objectName: "artifacts/a/b/c/1/0")
            try await chunk.append(bytes)
            let pin = try await chunk.finish()
            let sealed = told.all.reduce(0) { sum, event in
                if case .sealed(let count) = event { sum + count } else { sum }
            }
            #expect(sealed == bytes.count)
            _ = try await ArtifactReader.chunk(pin, store: store, access: rights).read(0..<1000)
        }
        #expect(told.all.contains(.opened(bytes: 1000)))
        rights.release()
        guard case .released = told.all.last else {
            Issue.record("the end of the work was not told")
            return
        }
    }

    @Test func aLossIsToldBehindTheWipingAndBeforeTheHandlers() async throws {
        let told = Told()
        let kms = FakeKMS()
        let rights = try access(kms, keeper: keeper(told))
        let key = try await rights.provider.generate(context: [:])
        let before = Told()
        _ = rights.lease.onLoss { _ in before.copy(told) }
        kms.fail(.accessDenied("The grant was revoked."))
        await #expect(throws: KeyLeaseLost.self) { try await rights.provider.generate(context: [:]) }
        #expect(key.secret.isWiped)
        guard case .lost(let wiped, let handlers, let reason) = told.all.last else {
            Issue.record("the loss was not told")
            return
        }
        #expect(wiped == 1 && handlers == 1 && reason.hasPrefix("denied"))
        #expect(before.all == told.all)
    }
}
