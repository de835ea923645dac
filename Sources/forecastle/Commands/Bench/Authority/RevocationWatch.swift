import Foundation
import Synchronization

/// Uses a key at one authority process without a pause and notes when each use began, when it was answered, and how.
final class RevocationWatch: Sendable {
    private struct Use {
        let began: UInt64
        let ended: UInt64
        let isRefused: Bool
    }

    private struct State {
        var uses: [Use] = []
        var isStopped = false
    }

    /// What is seen from the moment of the reply to the act.
    struct Finding: Sendable {
        /// Until the last use that succeeded was answered, 0 where none was after the reply.
        let lastSuccessSeconds: Double
        /// Uses that began after the reply and succeeded.
        let violations: Int
    }

    private let generator: LoadGenerator
    private let call: LoadCall
    private let state = Mutex(State())
    /// Until this long after the first refusal uses go on, to see that it stays.
    private static let refusalsSeen = 5

    init(generator: LoadGenerator, call: LoadCall) {
        self.generator = generator
        self.call = call
    }

    /// On a thread of its own, until enough refusals were seen in a row or `stop`.
    func run() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread { continuation.resume(with: Result { try self.loop() }) }
        }
    }

    private func loop() throws {
        let connection = LoadConnection(port: generator.port, script: RepeatedCall(call: call))
        var refusals = 0
        while refusals < Self.refusalsSeen, !state.withLock({ $0.isStopped }) {
            let began = DispatchTime.now().uptimeNanoseconds
            let answer = try generator.answer(to: call, on: connection)
            guard answer.status < 500 else {
                throw CommandFailure("A use was answered with \(answer.status): \(answer.shown)", MessageExit.inputOutput)
            }
            let use = Use(began: began, ended: DispatchTime.now().uptimeNanoseconds, isRefused: answer.status != 200)
            refusals = use.isRefused ? refusals + 1 : 0
            state.withLock { $0.uses.append(use) }
        }
    }

    func stop() { state.withLock { $0.isStopped = true } }

    /// Whether the key could be used at all.
    var hasSucceeded: Bool { state.withLock { $0.uses.contains { !$0.isRefused } } }

    func finding(after reply: UInt64) -> Finding {
        state.withLock { state in
            let late = state.uses.filter { !$0.isRefused && $0.ended > reply }
            return Finding(
                lastSuccessSeconds: late.map { Double($0.ended - reply) / 1e9 }.max() ?? 0,
                violations: late.count { $0.began > reply })
        }
    }
}
