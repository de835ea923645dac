import NIOCore

/// Closes a connection whose phase has lasted too long. Sits before the HTTP decoder, where a single byte of a header that will
/// never end can be seen.
final class DeadlineHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private var deadlines: ConnectionDeadlines
    private var context: ChannelHandlerContext?
    private var timer: (deadline: NIODeadline, task: Scheduled<Void>)?

    init(bounds: AWSServerBounds) {
        deadlines = ConnectionDeadlines(bounds: bounds, now: .now())
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
        update { $0.bytesArrived(now: .now()) }
        context.fireChannelRead(data)
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
        if let deadline = deadlines.deadline, deadline <= .now() {
            context.close(promise: nil)
        } else {
            update { _ in }
        }
    }

    private func stop() {
        timer?.task.cancel()
        timer = nil
        context = nil
    }
}
