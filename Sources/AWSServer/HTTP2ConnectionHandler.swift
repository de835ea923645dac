import NIOCore
import NIOHTTP2

/// Ends an HTTP/2 connection: with leave to finish what is under way when it is idle or the server stops, at once when it is broken.
///
/// Comes after `NIOHTTP2Handler`. Frames of no stream are its business and end here.
final class HTTP2ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// Hears of the frames that are written.
    struct Witness: NIOHTTP2FrameDelegate {
        let handler: HTTP2ConnectionHandler

        func wroteFrame(_ frame: HTTP2Frame) {
            if case .goAway(_, let code, _) = frame.payload, code != .noError { handler.isBroken = true }
        }
    }

    private let deadlines: DeadlineHandler
    private var openStreams = 0
    private var lastStream = HTTP2StreamID.rootStream
    private var isGoingAway = false
    /// The client has closed its side.
    private var isInputClosed = false
    /// NIO has said goodbye for a fault of the client's, and leaves it to others to close.
    private var isBroken = false

    private var context: ChannelHandlerContext?

    init(deadlines: DeadlineHandler) { self.deadlines = deadlines }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func streamOpened(_ id: HTTP2StreamID?) {
        openStreams += 1
        if let id { lastStream = id }
        deadlines.update { $0.streamOpened() }
    }

    func streamEnded() {
        openStreams -= 1
        guard openStreams == 0 else { return }
        if isInputClosed { context?.close(promise: nil) }
        deadlines.update { isGoingAway ? $0.refused(now: .now()) : $0.streamsEnded(now: .now()) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            isInputClosed = true
            if openStreams == 0 { context.close(promise: nil) }
            return
        }
        guard event is ChannelShouldQuiesceEvent, !isGoingAway else { return }
        isGoingAway = true
        // Streams that cross this on their way are not taken, and the client knows it by their numbers.
        let farewell = HTTP2Frame.FramePayload.goAway(lastStreamID: lastStream, errorCode: .noError, opaqueData: nil)
        context.writeAndFlush(wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: farewell)), promise: nil)
        // The client closes. To do that here, with bytes of its unread, could take its last answers from it.
        if openStreams == 0 { deadlines.update { $0.refused(now: .now()) } }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Faults of one stream come by here too; the stream is reset, and the others go on.
        if isBroken || !(error is any NIOHTTP2Error) { context.close(promise: nil) }
    }
}
