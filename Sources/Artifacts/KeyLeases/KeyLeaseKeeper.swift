package import Logging
import ServiceLifecycle
import Synchronization
import Telemetry

/// Renews all key leases of the process: one beat for all, a renewal at once where something was announced.
package final class KeyLeaseKeeper: Service, Sendable {
    private let timing: KeyLeaseTiming
    private let clock: LeaseClock
    private let logger: Logger
    private let trace: FrameTrace?
    private let leases = Mutex<[KeyLease]>([])
    private let bell = Bell()

    package init(timing: KeyLeaseTiming = .authority, clock: LeaseClock = .continuous, trace: FrameTrace? = nil, logger: Logger) {
        self.timing = timing
        self.clock = clock
        self.logger = logger
        self.trace = trace
        for reason in KeyLeaseLost.words { Measure.count(.keyLeasesLost, [("reason", reason)], by: 0) }
        for name in [MetricName.bytesSealed, .bytesOpened] { Measure.count(name, by: 0) }
        _ = Measure.time(.revocationSeconds)
    }

    /// A lease on a grant, idle until a data key arrives. The keeper lets go of it when it is lost or released.
    package func lease(resource: String, keyARN: String, roleARN: String? = nil, probe: any KeyLeaseProbe) -> KeyLease {
        let lease = KeyLease(
            resource: resource, keyARN: keyARN, roleARN: roleARN, probe: probe, timing: timing, clock: clock,
            trace: trace, changed: { [bell] in bell.ring() })
        leases.withLock { $0.append(lease) }
        return lease
    }

    /// The authority announced a change (revoked, retired, disabled, a policy): every lease asks at once.
    package func renewNow() {
        for lease in leases.withLock({ $0 }) { lease.renewNow() }
    }

    /// How many leases are idle or held.
    package var count: Int { leases.withLock { $0.count } }

    /// How many hold data keys.
    package var heldCount: Int { leases.withLock { $0 }.count { $0.standing != nil } }

    /// Ends with the process's other services; then every lease that is left ends, and its keys are wiped.
    package func run() async throws {
        let (clock, logger) = (clock, logger)
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    for lease in self.living() {
                        guard let number = lease.tick() else { continue }
                        group.addTask { await lease.renew(number) }
                    }
                    await self.waitForWork(clock)
                }
                group.cancelAll()
            }
        }
        for lease in leases.withLock({ $0 }) { lease.end(.ended) }
        logger.debug("key leases ended")
    }

    private func living() -> [KeyLease] {
        leases.withLock { leases in
            leases.removeAll(where: \.isOver)
            return leases
        }
    }

    /// Until the bell rings or the next lease has something to do.
    private func waitForWork(_ clock: LeaseClock) async {
        let next = leases.withLock { $0 }.compactMap(\.nextEvent).min()
        guard let next else { return await bell.wait() }
        guard next > clock.now() else { return await Task.yield() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await clock.sleepUntil(next) }
            group.addTask { await self.bell.wait() }
            await group.next()
            group.cancelAll()
        }
    }
}
