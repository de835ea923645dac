import NIOCore

/// A request in full, and the stream that its answer goes to.
struct StreamRequest: Sendable {
    let collected: CollectedRequest
    let stream: any Channel

    /// Hands the request of one stream to the loop of its connection.
    final class Handover: ChannelInboundHandler {
        typealias InboundIn = CollectedRequest

        private let arrived: AsyncStream<StreamRequest>.Continuation

        init(arrived: AsyncStream<StreamRequest>.Continuation) { self.arrived = arrived }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            arrived.yield(StreamRequest(collected: unwrapInboundIn(data), stream: context.channel))
        }
    }
}
