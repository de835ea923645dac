package import FoundationEssentials

/// Every decision about one row of the outbox, without any I/O. `now` is the database's clock.
///
/// ```
///              claimed (due)                  acknowledged under the token
///   waiting ──────────────────► claimed ────────────────────────────────► removed
///      ▲                         │   ⟲ claimed by another: the lease ended
///      └──── given back ─────────┘
/// ```
/// Claims are made for many rows by one statement (`OutboxRows`), which is this machine in SQL; a test holds the two
/// against each other.
package struct OutboxEntryStateMachine: Sendable, Equatable {
    package private(set) var isRemoved = false
    /// When it may be claimed: after a claim, at the end of the lease.
    package private(set) var availableAt: Date
    /// The token of the relay that publishes it; only that one may remove it or give it back.
    package private(set) var claim: UUID?
    package private(set) var claims = 0

    package init(availableAt: Date) {
        self.availableAt = availableAt
    }

    package mutating func claimed(at now: Date, lease: TimeInterval, token: UUID) -> Bool {
        guard !isRemoved, availableAt <= now else { return false }
        availableAt = now.addingTimeInterval(lease)
        claim = token
        claims += 1
        return true
    }

    /// - Returns: false for a relay that was slower than its lease: another publishes the row, too.
    package mutating func acknowledged(by token: UUID) -> Bool {
        guard owns(token) else { return false }
        isRemoved = true
        return true
    }

    package mutating func givenBack(by token: UUID, at now: Date, pause: TimeInterval) -> Bool {
        guard owns(token) else { return false }
        availableAt = now.addingTimeInterval(pause)
        claim = nil
        return true
    }

    private func owns(_ token: UUID) -> Bool { !isRemoved && claim == token }
}

/// What Kafka said to one message.
package enum PublishAnswer: Sendable, Hashable {
    case acknowledged
    /// It will not take this message, whenever it is asked.
    case refusedForGood
    /// No answer, or one that may be another next time. The message may have arrived all the same.
    case notThrough

    /// What becomes of the row. Without an acknowledgement it is never removed.
    package enum Consequence: Sendable, Hashable {
        case remove
        case giveBack(after: Duration)
    }

    /// - Parameter claims: how often the row was claimed, this time included.
    package func consequence(claims: Int) -> Consequence {
        switch self {
        case .acknowledged: .remove
        case .notThrough: .giveBack(after: .zero)
        case .refusedForGood:
            .giveBack(after: min(.seconds(1) * (1 << min(max(claims, 0), 10)), Self.longestParking))
        }
    }

    /// What no retry mends is tried again ever more seldom, so that it neither hinders the rest nor gets lost.
    package static let longestParking = Duration.seconds(300)
}
