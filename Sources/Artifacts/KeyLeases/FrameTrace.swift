/// What is told of a key lease to whoever measures how soon a withdrawn key is let go of. Without one nothing is written.
package struct FrameTrace: Sendable {
    package enum Event: Sendable, Equatable {
        /// A data key arrived and is held from now on.
        case held
        /// Frames were sealed or opened, by then: the moment is taken behind the last of them.
        case sealed(bytes: Int)
        case opened(bytes: Int)
        /// KMS said yes to a question put just before publishing, this long ago.
        case confirmed(ago: Duration)
        /// The lease ended; so many secrets that were alive were wiped, before any of so many handlers was called.
        case lost(wiped: Int, handlers: Int, reason: String)
        /// The work was done.
        case released(wiped: Int)
    }

    private let tell: @Sendable (_ event: Event, _ resource: String, _ keyARN: String) -> Void

    package init(_ tell: @escaping @Sendable (_ event: Event, _ resource: String, _ keyARN: String) -> Void) {
        self.tell = tell
    }

    func note(_ event: Event, of lease: KeyLease) { tell(event, lease.resource, lease.keyARN) }
}
