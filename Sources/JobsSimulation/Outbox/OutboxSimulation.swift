import FoundationEssentials
import Outbox

/// Transactions that append, relays that publish, a broker that may forget, workers that hear and a sweeper that rings again.
///
/// `OutboxEntryStateMachine` and `PublishAnswer` decide, as in the product. A message is a doorbell: whoever hears one looks at all
/// that is committed.
package struct OutboxSimulation: SimulatedWorld {
    struct Entry {
        var machine: OutboxEntryStateMachine
        /// Kafka never takes it.
        let isPoison: Bool
        /// The sweeper's, for which there is always room.
        let isRing: Bool
        var isVisible = false
        var isRolledBack = false
        /// Whether the broker ever had it.
        var hasArrived = false
    }

    /// Work that was committed with an entry and that somebody must find.
    struct Work {
        var committedAt: Int
        var isFound = false
    }

    struct Relay {
        var life = 0
        var isPaused = false
        var batch: Batch?
    }

    /// What a relay has claimed, and what Kafka said to it so far.
    struct Batch {
        let token: UUID
        let entries: [Int]
        let startedAt: Int
        var answers: [Int: PublishAnswer] = [:]
    }

    let settings: OutboxSimulationSettings
    var now = 0
    var clockOffset = 0
    var entries: [Entry] = []
    /// Entries whose transactions are open.
    var open: [Int] = []
    var work: [Work] = []
    var relays: [Relay]
    var tokens: UInt64 = 0
    var brokerIsUp = true
    /// Messages that nobody has heard yet.
    var log: [Int] = []
    var rangAt: Int?
    /// Of the last look: how many rows there were, and what the relay made of it.
    var seen = (rows: 0, isFull: false)
    var acceptedSinceLook = 0
    var lookedAt = 0
    /// A rule that broke within an event.
    var broken: String?

    package init(_ settings: OutboxSimulationSettings, plan: inout SimulationChance) {
        self.settings = settings
        relays = Array(repeating: Relay(), count: settings.relays)
    }

    package mutating func happen(_ event: OutboxEvent) {
        switch event {
        case .begin(let isPoison): begin(isPoison: isPoison)
        case .commit(let number): if !open.isEmpty { commit(open.remove(at: number % open.count)) }
        case .rollBack(let number): if !open.isEmpty { rollBack(open.remove(at: number % open.count)) }
        case .look: look()
        case .claim(let relay, let isHeard): claim(relay, isHeard: isHeard)
        case .publish(let relay, let outcome): publish(relay, outcome)
        case .settle(let relay): settle(relay)
        case .kill(let relay): relays[relay] = Relay(life: relays[relay].life + 1)
        case .pause(let relay): relays[relay].isPaused = true
        case .resume(let relay): relays[relay].isPaused = false
        case .broker(let isUp): brokerIsUp = isUp
        case .forget: log = []
        case .hear(let number, let stays): hear(number, stays: stays)
        case .sweep: sweep()
        case .jumpClock(let milliseconds):
            clockOffset = max(-settings.clockErrorMax, min(settings.clockErrorMax, clockOffset + milliseconds))
        case .wait(let milliseconds): pass(milliseconds)
        }
    }

    var databaseNow: Date { Self.date(now + clockOffset) }

    static func date(_ milliseconds: Int) -> Date { Date(timeIntervalSinceReferenceDate: Double(milliseconds) / 1000) }

    /// Rows as every statement sees them.
    var rows: [Int] { entries.indices.filter { entries[$0].isVisible && !entries[$0].machine.isRemoved } }

    private mutating func pass(_ milliseconds: Int) {
        now += milliseconds
        // Looks come by themselves, however Kafka is.
        if now - lookedAt >= settings.sweepMilliseconds { look() }
    }
}
