import Outbox

/// What happens between a relay, the broker, and those who hear.
extension OutboxSimulation {
    package enum Outcome: Sendable, Hashable, CaseIterable {
        case acknowledged
        /// It arrived, and the relay is told nothing.
        case unheard
        case lost
    }

    /// The next message of a relay's batch goes its way.
    mutating func publish(_ relay: Int, _ outcome: Outcome) {
        guard !relays[relay].isPaused, let batch = relays[relay].batch,
            let index = batch.entries.first(where: { batch.answers[$0] == nil })
        else { return }
        guard !entries[index].isPoison || !brokerIsUp else {
            relays[relay].batch?.answers[index] = .refusedForGood
            return
        }
        if brokerIsUp, outcome != .lost {
            entries[index].hasArrived = true
            log.append(index)
            if entries[index].isRolledBack { broken = "entry \(index) was rolled back and published" }
        }
        relays[relay].batch?.answers[index] = brokerIsUp && outcome == .acknowledged ? .acknowledged : .notThrough
    }

    /// Some worker hears a message, and looks for all that is there; it may hear it again.
    mutating func hear(_ number: Int, stays: Bool) {
        guard !log.isEmpty else { return }
        let index = number % log.count
        if !stays { log.remove(at: index) }
        for each in work.indices { work[each].isFound = true }
    }
}
