import Glibc

/// The waits of one request and its answers: until readable or writable, until the deadline, until woken.
struct Exchange {
    let handle: LibpqHandle
    let event: EventDescriptor
    let deadline: ContinuousClock.Instant
    let isInterrupted: () -> Bool

    /// Sends everything that libpq has buffered. Reads meanwhile, because a server whose answers nobody takes stops reading.
    func flush() throws {
        while true {
            switch handle.flush() {
            case true?: return
            case nil: throw ConnectionCore.WaitFailure.broken
            case false?:
                let ready = try wait(reading: true, writing: true)
                if ready.readable && !handle.consumeInput() { throw ConnectionCore.WaitFailure.broken }
            }
        }
    }

    /// The next result of the running statement, or nil at its end.
    func nextResult() throws -> PostgresResult? {
        while handle.mustWaitForInput {
            try wait(reading: true, writing: false)
            // Not consumed: what arrived before the end (the server's last words) is still to be read below.
            if !handle.consumeInput() { break }
        }
        return handle.nextResult()
    }

    @discardableResult
    func wait(reading: Bool, writing: Bool) throws -> (readable: Bool, writable: Bool) {
        while true {
            let remaining = deadline - .now
            guard remaining > .zero else { throw ConnectionCore.WaitFailure.deadline }
            let events = (reading ? POLLIN : 0) | (writing ? POLLOUT : 0)
            var descriptors: InlineArray<2, pollfd> = [
                pollfd(fd: handle.socket, events: Int16(events), revents: 0),
                pollfd(fd: event.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            var span = descriptors.mutableSpan
            let count = span.withUnsafeMutableBufferPointer { poll($0.baseAddress, nfds_t($0.count), remaining.pollMilliseconds) }
            if count < 0 && errno != EINTR { throw ConnectionCore.WaitFailure.broken }
            guard count > 0 else { continue }
            if descriptors[1].revents != 0 {
                event.wait()
                if isInterrupted() { throw ConnectionCore.WaitFailure.interrupted }
            }
            let revents = Int32(descriptors[0].revents)
            // An error or hang-up counts as readable: libpq finds out what it is by reading.
            let readable = revents & (Int32(POLLIN) | Int32(POLLERR) | Int32(POLLHUP) | Int32(POLLNVAL)) != 0
            let writable = revents & Int32(POLLOUT) != 0
            if readable || writable { return (readable, writable) }
        }
    }
}

extension Duration {
    /// Rounded up, so that a wait never ends a moment early and spins.
    var pollMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        if seconds >= Int64(Int32.max) / 1000 { return Int32.max }
        return Int32(seconds) * 1000 + Int32((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
