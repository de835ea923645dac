import NIOCore

/// Closes what has stayed in a phase for too long: a connection, or one stream of it. Sits before the HTTP decoder, where a single byte
/// of a header that will never end can be seen.
final class DeadlineHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    /// What comes through here.
    enum Traffic {
        /// TLS has not told yet.
        case undecided
        case requests
        /// Frames of HTTP/2: bytes are no sign of a request, and the streams have handlers of their own.
        case streams
    }

    var traffic: Traffic
    private let connection: Connection
    private var deadlines: ConnectionDeadlines
    private var context: ChannelHandlerContext?
    private var timer: (deadline: NIODeadline, task: Scheduled<Void>)?

    init(connection: Connection, traffic: Traffic) {
        self.connection = connection
        self.traffic = traffic
        deadlines = ConnectionDeadlines(bounds: connection.bounds, now: .now())
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        update { _ in }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stop()
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if traffic != .streams { update { $0.bytesArrived(now: .now()) } }
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Nobody behind this one would hear of it: a connection without a request is one that may go.
        if traffic == .undecided, event is ChannelShouldQuiesceEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    /// Tells what happened on the connection and sets the timer by it. On the channel's event loop only.
    func update(_ change: (inout ConnectionDeadlines) -> Void) {
        change(&deadlines)
        guard let context else { return }
        let deadline = deadlines.deadline
        if let timer {
            // A timer that fires early looks again; only one that would fire too late must go.
            if let deadline, timer.deadline <= deadline { return }
            timer.task.cancel()
            self.timer = nil
        }
        guard let deadline else { return }
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        let task = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            bound.value.handler.fire(context: bound.value.context)
        }
        timer = (deadline, task)
    }

    private func fire(context: ChannelHandlerContext) {
        timer = nil
        guard let deadline = deadlines.deadline, deadline <= .now() else {
            update { _ in }
            return
        }
        if deadlines.isWriting {
            // Over HTTP/2 too: who takes no answers must not make us hold those of its other streams.
            connection.channel.close(promise: nil)
        } else if traffic == .streams, deadlines.isIdle {
            // So that the client hears of it before its next request is under way.
            context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        } else {
            context.close(promise: nil)
        }
    }

    private func stop() {
        timer?.task.cancel()
        timer = nil
        context = nil
    }
}
