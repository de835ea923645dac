import AWSProtocol
import NIOCore
import Synchronization
import TransportSecurity

/// What the requests of one connection have in common, be they one after the other or streams beside each other.
final class Connection: Sendable {
    private struct State {
        /// Who is at the other end, once it was asked.
        var peer: ProcessIdentity??
        var answering = 0
        var bytes = 0
    }

    let channel: any Channel
    let bounds: AWSServerBounds
    let isSecure: Bool
    private let registry: ConnectionRegistry
    private let state = Mutex(State())

    init(channel: any Channel, bounds: AWSServerBounds, registry: ConnectionRegistry, isSecure: Bool) {
        self.channel = channel
        self.bounds = bounds
        self.registry = registry
        self.isSecure = isSecure
    }

    var sourceAddress: String { channel.remoteAddress?.ipAddress ?? "" }

    /// A connection has one peer for its whole life: no renegotiation is allowed. On its event loop, after the handshake.
    var peer: ProcessIdentity? {
        guard isSecure else { return nil }
        return state.withLock { state in
            if let peer = state.peer { return peer }
            let found = ServerTLS.peer(of: channel)
            state.peer = .some(found)
            return found
        }
    }

    func answerBegins() {
        let isFirst = state.withLock { state in
            state.answering += 1
            return state.answering == 1
        }
        if isFirst { registry.setWorking(channel) }
    }

    func answerEnds() {
        let wasLast = state.withLock { state in
            state.answering -= 1
            return state.answering == 0
        }
        if wasLast { registry.setWaiting(channel) }
    }

    /// Whether there is room for that many bytes more of requests; they are counted until they are released.
    func hold(_ bytes: Int) -> Bool {
        state.withLock { state in
            guard state.bytes + bytes <= bounds.connectionBytes else { return false }
            state.bytes += bytes
            return true
        }
    }

    func release(_ bytes: Int) {
        guard bytes > 0 else { return }
        state.withLock { $0.bytes -= bytes }
    }
}
