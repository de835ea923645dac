import FoundationEssentials
import Outbox

/// What happens in the database.
extension OutboxSimulation {
    /// A transaction appends, if there was room at the last look.
    mutating func begin(isPoison: Bool) {
        guard !seen.isFull, acceptedSinceLook < settings.acceptedBetweenLooksMax, open.count < settings.openMax else {
            return
        }
        if seen.rows >= settings.rowsWhenFull { broken = "accepted though the outbox held \(seen.rows) rows" }
        acceptedSinceLook += 1
        var entry = Entry(machine: .init(availableAt: databaseNow), isPoison: isPoison, isRing: false)
        entry.isVisible = settings.sabotage == .transaction
        entries.append(entry)
        open.append(entries.count - 1)
    }

    mutating func commit(_ index: Int) {
        entries[index].isVisible = true
        work.append(Work(committedAt: now))
    }

    mutating func rollBack(_ index: Int) {
        entries[index].isRolledBack = true
        entries[index].isVisible = false
        if entries[index].hasArrived { broken = "entry \(index) was published and rolled back" }
    }

    /// Counts the rows; with the rule left out, as once: nothing that is due is taken for room.
    mutating func look() {
        let there = rows
        let isDue = there.contains { entries[$0].machine.availableAt <= databaseNow }
        let isFull = there.count >= settings.rowsWhenFull
        seen = (there.count, settings.sabotage == .bound ? isFull && isDue : isFull)
        (acceptedSinceLook, lookedAt) = (0, now)
    }

    /// - Parameter isHeard: whether the relay hears what it claimed.
    mutating func claim(_ relay: Int, isHeard: Bool) {
        guard !relays[relay].isPaused, relays[relay].batch == nil else { return }
        tokens += 1
        let token = Self.token(tokens)
        let lease = settings.sabotage == .lease ? 1e9 : Double(settings.lease) / 1000
        var claimed: [Int] = []
        let oldestFirst = rows.sorted { (entries[$0].machine.availableAt, $0) < (entries[$1].machine.availableAt, $1) }
        for index in oldestFirst where claimed.count < settings.batchRows {
            if entries[index].machine.claimed(at: databaseNow, lease: lease, token: token) { claimed.append(index) }
        }
        if isHeard, !claimed.isEmpty { relays[relay].batch = Batch(token: token, entries: claimed, startedAt: now) }
    }

    /// The relay carries out what the answers say. One that was held up does so however late.
    mutating func settle(_ relay: Int) {
        guard !relays[relay].isPaused, let batch = relays[relay].batch else { return }
        guard batch.answers.count == batch.entries.count || now - batch.startedAt >= settings.publishing else { return }
        relays[relay].batch = nil
        for index in batch.entries {
            var answer = batch.answers[index] ?? .notThrough
            if settings.sabotage == .acknowledgement, answer == .notThrough { answer = .acknowledged }
            let holder = entries[index].machine.claim
            let token = settings.sabotage == .tokens ? holder ?? batch.token : batch.token
            let changed =
                switch answer.consequence(claims: entries[index].machine.claims) {
                case .remove: entries[index].machine.acknowledged(by: token)
                case .giveBack(let pause):
                    entries[index].machine.givenBack(by: token, at: databaseNow, pause: pause / .seconds(1))
                }
            if changed, holder != batch.token { broken = "relay \(relay) changed entry \(index), which another has claimed" }
        }
    }

    /// Work that nobody found for a while is rung for again, one ring at a time.
    mutating func sweep() {
        guard settings.sabotage != .sweep else { return }
        guard work.contains(where: { !$0.isFound && now - $0.committedAt >= settings.ringAfter }) else { return }
        if let rangAt, now - rangAt < settings.ringAfter { return }
        rangAt = now
        var ring = Entry(machine: .init(availableAt: databaseNow), isPoison: false, isRing: true)
        ring.isVisible = true
        entries.append(ring)
    }

    private static func token(_ number: UInt64) -> UUID {
        withUnsafeBytes(of: (number.bigEndian, UInt64(0))) { UUID(uuid: $0.load(as: uuid_t.self)) }
    }
}
