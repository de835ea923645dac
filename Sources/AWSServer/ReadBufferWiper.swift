import NIOCore

/// Overwrites what was read once the frame decoder of HTTP/2 has it, which copies: it may have been a secret body.
///
/// Each read is brought to its end by itself, so that the bodies in it are where they end up before the decoder makes room for the
/// next one, and with it a copy of what is in its way.
final class ReadBufferWiper: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// The decoder keeps the first one itself; the bodies in it are overwritten where they end up.
    private var isFirst = true

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(data)
        context.fireChannelReadComplete()
        if !isFirst { unwrapInboundIn(data).overwrite() }
        isFirst = false
    }

    func channelReadComplete(context: ChannelHandlerContext) {}
}
