import Foundation
import Logging
import Synchronization

/// Keeps the processes of an embedded cluster running and stops them in the opposite order of their start.
final class Supervisor: Sendable {
    /// One process to keep running.
    struct Member: Sendable {
        var name: String
        /// The signal that asks it to stop in order.
        var stopSignal: Int32 = SIGTERM
        var stopGrace: Duration = .seconds(15)
        var start: @Sendable () async throws -> ChildProcess
    }

    static let firstRestartDelay: Duration = .milliseconds(200)
    static let restartDelayMax: Duration = .seconds(10)
    /// A process that ran this long starts again at once.
    static let stableAfter: Duration = .seconds(30)
    let restartDelayMax: Duration

    private struct State {
        var isStopping = false
        /// Members that are not to be started again for now.
        var held: Set<String> = []
        var children: [(member: Member, child: ChildProcess)] = []
        var keepers: [Task<Void, Never>] = []
    }

    private let logger: Logger
    private let state = Mutex(State())

    /// `restartDelayMax`: who kills processes on purpose wants them back sooner.
    init(logger: Logger, restartDelayMax: Duration = Supervisor.restartDelayMax) {
        self.logger = logger
        self.restartDelayMax = restartDelayMax
    }

    /// Starts a member and keeps it running until `stopAll`.
    func start(_ member: Member) async throws {
        let child = try await member.start()
        state.withLock { state in
            state.children.append((member, child))
            state.keepers.append(Task { await self.keep(member, child) })
        }
    }

    /// The process that a member is now.
    func pid(of name: String) -> pid_t? {
        state.withLock { $0.children.last { $0.member.name == name }?.child.pid }
    }

    func stopAll() async {
        let (children, keepers) = state.withLock { state in
            state.isStopping = true
            return (state.children, state.keepers)
        }
        for (member, child) in children.reversed() where !child.hasEnded {
            await child.stop(with: member.stopSignal, grace: member.stopGrace)
        }
        for keeper in keepers { keeper.cancel() }
        for keeper in keepers { await keeper.value }
    }

    /// The process of a member that runs now.
    func child(_ name: String) -> ChildProcess? {
        state.withLock { state in state.children.first { $0.member.name == name }?.child }.flatMap { $0.hasEnded ? nil : $0 }
    }

    /// A member that ends stays so until it is let go on.
    func hold(_ name: String) { state.withLock { _ = $0.held.insert(name) } }
    func letGo(_ name: String) { state.withLock { _ = $0.held.remove(name) } }

    private func isHeld(_ name: String) -> Bool { state.withLock { $0.held.contains(name) && !$0.isStopping } }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    private func keep(_ member: Member, _ first: ChildProcess) async {
        var child = first
        var delay = Self.firstRestartDelay
        while true {
            let started = ContinuousClock.now
            let status = await child.wait()
            if isStopping { return }
            logger.error(
                "\(member.name) ended; starting it again",
                metadata: ["status": "\(ChildProcess.describe(status))", "pid": "\(child.pid)"])
            delay =
                started.duration(to: .now) > Self.stableAfter
                ? Self.firstRestartDelay : min(delay * 2, restartDelayMax)
            repeat { try? await Task.sleep(for: delay) } while isHeld(member.name) && !Task.isCancelled
            if isStopping { return }
            do {
                let next = try await member.start()
                let mustStop = state.withLock { state in
                    if state.isStopping { return true }
                    state.children.removeAll { $0.member.name == member.name }
                    state.children.append((member, next))
                    return false
                }
                if mustStop {
                    await next.stop(with: member.stopSignal, grace: member.stopGrace)
                    return
                }
                child = next
            } catch {
                logger.error("\(member.name) could not be started again", metadata: ["error": "\(error)"])
            }
        }
    }
}
