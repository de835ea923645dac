import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

/// Turns the frames of one stream into the parts of a request as HTTP/1.1 would have brought it, and the parts of its answer into frames.
///
/// What is malformed by RFC 9113 section 8 (upper case, headers of a connection, pseudo-headers in the wrong place, control characters,
/// a body that differs from its content-length) does not come this far: NIO resets such a stream.
final class HTTP2StreamCodec: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTP2Frame.FramePayload

    private var hasHead = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let payload) where hasHead:
            let trailers = HTTPHeaders(payload.headers.map { ($0.name, $0.value) })
            context.fireChannelRead(wrapInboundOut(.end(trailers)))
        case .headers(let payload):
            hasHead = true
            do {
                context.fireChannelRead(wrapInboundOut(.head(try Self.head(of: payload.headers))))
            } catch {
                context.fireErrorCaught(error)
            }
            if payload.endStream { context.fireChannelRead(wrapInboundOut(.end(nil))) }
        case .data(let payload):
            if case .byteBuffer(let buffer) = payload.data, buffer.readableBytes > 0 {
                context.fireChannelRead(wrapInboundOut(.body(buffer)))
            }
            if payload.endStream { context.fireChannelRead(wrapInboundOut(.end(nil))) }
        default:
            break
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let payload: HTTP2Frame.FramePayload
        switch unwrapOutboundIn(data) {
        case .head(let head):
            var headers = HTTPHeaders([(":status", String(head.status.code))])
            headers.add(contentsOf: head.headers)
            // Lower case, and without those of a connection.
            payload = .headers(.init(headers: HPACKHeaders(httpHeaders: headers)))
        case .body(let body):
            payload = .data(.init(data: body))
        case .end:
            payload = .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))
        }
        context.write(wrapOutboundOut(payload), promise: promise)
    }

    /// - Throws: ``HTTPParserError``, as the decoder of HTTP/1.1 does.
    static func head(of fields: HPACKHeaders) throws -> HTTPRequestHead {
        guard let method = fields.first(name: ":method"), let target = fields.first(name: ":path") else {
            throw HTTPParserError.invalidMethod
        }
        // Nobody calls this edge without TLS by HTTP/2.
        guard fields.first(name: ":scheme") == "https" else { throw HTTPParserError.invalidURL }
        var headers = HTTPHeaders()
        let authority = fields.first(name: ":authority")
        if let authority { headers.add(name: "host", value: authority) }
        for field in fields where field.name.utf8.first != UInt8(ascii: ":") {
            // The signature covers the host, and two readers must not take different ones for it.
            if field.name == "host", let authority {
                guard field.value == authority else { throw HTTPParserError.invalidHeaderToken }
                continue
            }
            // White space around a value is malformed here (section 8.2.1), and NIO lets it pass.
            let ends = [field.value.utf8.first, field.value.utf8.last]
            guard !ends.contains(where: { $0 == 0x20 || $0 == 0x09 }) else { throw HTTPParserError.invalidHeaderToken }
            headers.add(name: field.name, value: field.value)
        }
        // The version says what follows from it: nothing here differs from a request of HTTP/1.1.
        return HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: method), uri: target, headers: headers)
    }
}
