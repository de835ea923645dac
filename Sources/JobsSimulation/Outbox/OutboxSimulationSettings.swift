/// Times are milliseconds.
package struct OutboxSimulationSettings: SimulatedSettings {
    package var relays = 2
    package var events = 200
    package var batchRows = 3
    package var lease = 30_000
    package var publishing = 15_000
    package var sweepMilliseconds = 1000
    package var ringAfter = 10_000
    /// The bound, and what may be accepted between two looks.
    package var rowsWhenFull = 5
    package var acceptedBetweenLooksMax = 3
    /// Transactions that are open at a time: the next look does not see their rows.
    package var openMax = 2
    package var clocksJump = true
    package var clockErrorMax = 200_000
    package var sabotage: Sabotage?

    package init() {}

    package enum Sabotage: String, Sendable, CaseIterable {
        /// What may have arrived counts as acknowledged.
        case acknowledgement
        /// A claim does not end when its relay dies.
        case lease
        /// A relay that was slower than its lease removes and gives back all the same.
        case tokens
        /// A row is there before its transaction is committed.
        case transaction
        /// Where nothing is due, there is room.
        case bound
        /// Nobody rings again for work that nobody found.
        case sweep
    }
}
