import NIOCore

/// Tells a client that speaks plain HTTP to a TLS port so, in plain HTTP, and hands everybody else on.
final class PlainTextRefusal: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Every TLS connection begins with a record of this type (RFC 8446 section 5.1).
    private static let handshakeRecord: UInt8 = 22
    private static let body = #"{"__type":"SerializationException","message":"TLS is spoken here: use https://"}"#
    private static let answer =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: \(body.utf8.count)\r\n"
        + "Connection: close\r\n\r\n\(body)"

    private var isRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Read and dropped until the deadline or the client ends it: to close at once would take the answer from the client.
        if isRefused { return }
        guard let first = unwrapInboundIn(data).readableBytesView.first else { return }
        guard first != Self.handshakeRecord else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return
        }
        isRefused = true
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(string: Self.answer)), promise: nil)
        context.close(mode: .output, promise: nil)
    }
}
