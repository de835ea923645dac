package import NIOCore

/// Until when a connection, or a stream of one, may stay in the phase it is in. Pure: events and the time go in, a deadline comes out.
///
/// A connection waits for a request (idle), sends headers, sends a body, is being answered, takes the answer; or it was
/// refused and is drained. Only while it is being answered is there no deadline of the connection's. That goes for one of HTTP/2 while
/// streams are open on it: each of them has deadlines of its own.
package struct ConnectionDeadlines {
    private enum Phase {
        case idle(since: NIODeadline)
        case head(since: NIODeadline)
        case body(since: NIODeadline, bytes: Int)
        case handling
        case writing(since: NIODeadline)
        case draining(since: NIODeadline)
    }

    private let bounds: AWSServerBounds
    private var phase: Phase
    /// Bytes of a next request that came before the answer to this one.
    private var isAhead = false

    /// A connection that was accepted counts as one whose request has begun: it has no right to be idle yet.
    package init(bounds: AWSServerBounds, now: NIODeadline) {
        self.bounds = bounds
        phase = .head(since: now)
    }

    package var deadline: NIODeadline? {
        switch phase {
        case .idle(let since), .writing(let since): since + TimeAmount(bounds.idleDeadline)
        case .head(let since): since + TimeAmount(bounds.headerDeadline)
        case .body(let since, let bytes):
            since + TimeAmount(bounds.headerDeadline)
                + .milliseconds(Int64(bytes) * 1000 / Int64(bounds.bodyBytesPerSecond))
        case .handling: nil
        case .draining(let since): since + TimeAmount(bounds.drainDeadline)
        }
    }

    var isIdle: Bool { if case .idle = phase { true } else { false } }

    /// The client has an answer to take.
    var isWriting: Bool { if case .writing = phase { true } else { false } }

    package mutating func bytesArrived(now: NIODeadline) {
        switch phase {
        case .idle: phase = .head(since: now)
        case .handling, .writing: isAhead = true
        case .head, .body, .draining: break
        }
    }

    package mutating func headArrived(now: NIODeadline) {
        phase = .body(since: now, bytes: 0)
        isAhead = false
    }

    package mutating func bodyArrived(bytes: Int) {
        if case .body(let since, let before) = phase { phase = .body(since: since, bytes: before + bytes) }
    }

    package mutating func requestArrived() {
        phase = .handling
    }

    package mutating func responseStarted(now: NIODeadline) {
        phase = .writing(since: now)
    }

    package mutating func responseEnded(now: NIODeadline) {
        if case .writing = phase { phase = isAhead ? .head(since: now) : .idle(since: now) }
    }

    package mutating func streamOpened() {
        phase = .handling
    }

    package mutating func streamsEnded(now: NIODeadline) {
        phase = .idle(since: now)
    }

    package mutating func refused(now: NIODeadline) {
        phase = .draining(since: now)
    }
}
