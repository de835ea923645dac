package import NIOCore

/// Decides when the bytes of one direction leave, and how it ends. Pure: time and chance come in.
package struct TrafficShaper: Sendable {
    /// Bytes of what arrived, in order, and when they leave.
    package struct Piece: Sendable, Equatable {
        package let bytes: Int
        package let leavesAt: NIODeadline
    }

    package struct Plan: Sendable, Equatable {
        package var pieces: [Piece] = []
        /// What becomes of the rest of what arrived; nil where there is none.
        package var ending: Toxics.Ending?
    }

    /// No piece overtakes another, whatever the jitter.
    private var lastLeavesAt = NIODeadline.uptimeNanoseconds(0)
    private(set) package var passedBytes = 0

    package init() {}

    /// - Parameter chance: from −1 to 1, asked once a piece.
    package mutating func plan(
        _ arrived: Int, toxics: Toxics, now: NIODeadline, chance: () -> Double
    ) -> Plan {
        var plan = Plan()
        var left = arrived
        if toxics.ending != nil {
            left = min(left, max(0, toxics.endingAfterBytes - passedBytes))
            if left < arrived { plan.ending = toxics.ending }
        }
        while left > 0 {
            let bytes = min(left, toxics.sliceBytes ?? left)
            left -= bytes
            passedBytes += bytes
            plan.pieces.append(Piece(bytes: bytes, leavesAt: leave(bytes, toxics, now, chance())))
        }
        return plan
    }

    /// When the end of the stream is passed on.
    package func endLeavesAt(toxics: Toxics, now: NIODeadline) -> NIODeadline {
        max(now, lastLeavesAt) + TimeAmount(toxics.closeDelay)
    }

    private mutating func leave(_ bytes: Int, _ toxics: Toxics, _ now: NIODeadline, _ chance: Double) -> NIODeadline {
        precondition((-1...1).contains(chance), "Chance lies between −1 and 1.")
        let late = max(.zero, toxics.latency + toxics.jitter * chance)
        var leavesAt = max(now + TimeAmount(late), lastLeavesAt)
        if let rate = toxics.bytesPerSecond {
            // The link is busy with the piece for so long, and with the one before it until then.
            leavesAt = max(leavesAt, max(now, lastLeavesAt) + .nanoseconds(Int64(bytes) * 1_000_000_000 / Int64(rate)))
        }
        lastLeavesAt = leavesAt
        return leavesAt
    }
}
