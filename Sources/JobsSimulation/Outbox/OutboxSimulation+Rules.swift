import Outbox

extension OutboxSimulation {
    package func brokenRule() -> String? {
        if let broken { return broken }
        if let lost = entries.firstIndex(where: { $0.machine.isRemoved && !$0.hasArrived }) {
            return "entry \(lost) was removed and Kafka never had it"
        }
        let accepted = rows.count { !entries[$0].isRing }
        let most = settings.rowsWhenFull + settings.acceptedBetweenLooksMax
        return accepted > most + settings.openMax ? "the outbox holds \(accepted) rows" : nil
    }

    private static let calmRounds = 200
    private static let roundMilliseconds = 5000

    /// Everything is healed: all that Kafka takes goes, and all work is found.
    package mutating func calm() -> (rule: String, round: Int)? {
        brokerIsUp = true
        // A clock that was set back holds everything up for as long as it is behind.
        clockOffset = max(0, clockOffset)
        for relay in relays.indices { relays[relay].isPaused = false }
        for index in open { commit(index) }
        open = []
        for round in 0..<Self.calmRounds {
            happen(.wait(milliseconds: Self.roundMilliseconds))
            for relay in relays.indices {
                for _ in 0..<settings.batchRows { publish(relay, .acknowledged) }
                settle(relay)
                claim(relay, isHeard: true)
                for _ in 0..<settings.batchRows { publish(relay, .acknowledged) }
                settle(relay)
            }
            while !log.isEmpty { hear(0, stays: false) }
            sweep()
            if let rule = brokenRule() { return (rule, round) }
            if unfinished() == nil { return nil }
        }
        return unfinished().map { ($0, Self.calmRounds) }
    }

    private func unfinished() -> String? {
        if let left = rows.first(where: { !entries[$0].isPoison }) { return "entry \(left) is never published" }
        if let unheard = work.firstIndex(where: { !$0.isFound }) { return "work \(unheard) is never found" }
        return nil
    }
}
