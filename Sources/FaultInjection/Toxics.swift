/// What happens to the bytes of one direction of a connection. The default is nothing.
///
/// The names are those of the TCP faults that people know from other fault proxies.
package struct Toxics: Sendable, Hashable {
    /// What becomes of the bytes behind the ones that are let through.
    package enum Ending: String, Sendable, Hashable, CaseIterable {
        /// They are not read any more, so the sender's window fills; healing lets them go on.
        case stall
        /// They are read and dropped, as by a route into nowhere. Healing resets the connection: its bytes are gone.
        case blackHole = "black-hole"
        /// The connection is reset.
        case reset
        /// The connection is closed in good order.
        case close
    }

    /// Every piece is late by this much, give or take the jitter.
    package var latency: Duration
    package var jitter: Duration
    package var bytesPerSecond: Int?
    /// Pieces are cut to this many bytes at most.
    package var sliceBytes: Int?
    /// The end of the stream is passed on this much later.
    package var closeDelay: Duration
    package var ending: Ending?
    /// Bytes of each connection that are let through before the ending.
    package var endingAfterBytes: Int

    package static let none = Toxics()

    package init(
        latency: Duration = .zero, jitter: Duration = .zero, bytesPerSecond: Int? = nil, sliceBytes: Int? = nil,
        closeDelay: Duration = .zero, ending: Ending? = nil, endingAfterBytes: Int = 0
    ) {
        precondition(latency >= .zero && jitter >= .zero && closeDelay >= .zero, "Delays go forward.")
        precondition(bytesPerSecond.map { $0 > 0 } ?? true, "A rate is at least one byte a second.")
        precondition(sliceBytes.map { $0 > 0 } ?? true, "A slice has at least one byte.")
        precondition(endingAfterBytes >= 0, "Bytes are counted from nought.")
        self.latency = latency
        self.jitter = jitter
        self.bytesPerSecond = bytesPerSecond
        self.sliceBytes = sliceBytes
        self.closeDelay = closeDelay
        self.ending = ending
        self.endingAfterBytes = endingAfterBytes
    }
}
