import Foundation
import Logging

/// Keeps the processes of an embedded cluster running and stops them in the opposite order of their start.
actor Supervisor {
    /// One process to keep running.
    struct Member: Sendable {
        var name: String
        /// The signal that asks it to stop in order.
        var stopSignal: Int32 = SIGTERM
        var stopGrace: Duration = .seconds(15)
        var start: @Sendable () async throws -> ChildProcess
    }

    static let restartDelayMax: Duration = .seconds(10)
    /// A process that ran this long starts again at once.
    static let stableAfter: Duration = .seconds(30)

    private let logger: Logger
    private var running: [(member: Member, child: ChildProcess)] = []
    private var isStopping = false

    init(logger: Logger) {
        self.logger = logger
    }

    /// Starts a member and keeps it running until `stopAll`.
    func start(_ member: Member, in group: inout DiscardingTaskGroup) async throws {
        let child = try await member.start()
        running.append((member, child))
        group.addTask { await self.keep(member, child) }
    }

    func stopAll() async {
        isStopping = true
        for (member, child) in running.reversed() where !child.hasEnded {
            await child.stop(with: member.stopSignal, grace: member.stopGrace)
        }
    }

    private func keep(_ member: Member, _ first: ChildProcess) async {
        var child = first
        var delay: Duration = .milliseconds(200)
        while true {
            let started = ContinuousClock.now
            let status = await child.wait()
            if isStopping { return }
            logger.error(
                "\(member.name) ended; starting it again",
                metadata: ["status": "\(ChildProcess.describe(status))", "pid": "\(child.pid)"])
            delay = started.duration(to: .now) > Self.stableAfter ? .milliseconds(200) : min(delay * 2, Self.restartDelayMax)
            try? await Task.sleep(for: delay)
            if isStopping { return }
            do {
                child = try await member.start()
            } catch {
                logger.error("\(member.name) could not be started again", metadata: ["error": "\(error)"])
                continue
            }
            if isStopping {
                await child.stop(with: member.stopSignal, grace: member.stopGrace)
                return
            }
            running.removeAll { $0.member.name == member.name }
            running.append((member, child))
        }
    }
}
