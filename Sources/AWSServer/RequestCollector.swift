import AWSProtocol
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Secrets

/// A request in full, and whether the connection goes on after its answer.
struct CollectedRequest: Sendable {
    let request: AWSRequest
    let isKeptAlive: Bool
    /// What the connection holds for it, to be released once nobody reads the request any more.
    let heldBytes: Int
}

/// An answer on its way out.
struct OutgoingResponse: Sendable {
    let response: AWSResponse
    let requestID: String
    let isKeptAlive: Bool
}

/// Turns the decoder's parts into requests and answers into parts; refuses by itself what breaks a bound.
///
/// Comes after `HTTPServerPipelineHandler` on a connection of HTTP/1.1, after `HTTP2StreamCodec` on a stream, so that there is one
/// request at a time.
final class RequestCollector: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = CollectedRequest
    typealias OutboundIn = OutgoingResponse
    typealias OutboundOut = HTTPServerResponsePart

    private let connection: Connection
    private let deadlines: DeadlineHandler
    private let secretTargets: Set<String>
    /// Whether the channel is a stream, which ends by itself with its request and its answer.
    private let isStream: Bool
    private var assembler: RequestAssembler
    private var heldBytes = 0
    private var isAnswering = false
    private var isRefused = false

    init(connection: Connection, deadlines: DeadlineHandler, secretTargets: Set<String>, isStream: Bool) {
        self.connection = connection
        self.deadlines = deadlines
        self.secretTargets = secretTargets
        self.isStream = isStream
        assembler = RequestAssembler(bounds: connection.bounds, secretTargets: secretTargets)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        releaseBytes()
        setAnswering(false)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if isRefused {
            // The refusal is sent and the client has finished: nothing is left to wait for.
            if case .end = part, !isStream { context.close(promise: nil) }
            return
        }
        switch part {
        case .head(let head):
            deadlines.update { $0.headArrived(now: .now()) }
            perform(assembler.receive(head: head), context: context)
        case .body(let buffer):
            deadlines.update { $0.bodyArrived(bytes: buffer.readableBytes) }
            perform(assembler.receive(body: buffer), context: context)
        case .end(let trailers):
            perform(assembler.receiveEnd(trailers: trailers), context: context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What a refused client goes on sending is no request, and each part of it an error of the decoder. To close for that would
        // take the refusal from the client; the deadline of draining ends it.
        if isRefused { return }
        guard let error = error as? HTTPParserError else {
            context.close(promise: nil)
            return
        }
        refuse(
            error == .headerOverflow ? .headersTooLarge : .serialization("The request is not valid HTTP."),
            context: context)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let outgoing = unwrapOutboundIn(data)
        guard !isRefused else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        write(outgoing, context: context, promise: promise)
    }

    private func perform(_ action: RequestAssembler.Action, context: ChannelHandlerContext) {
        switch action {
        case .none:
            holdBytes(context: context)
        case .refuse(let status, let text):
            refuse(AWSError(code: text.code, message: text.message, status: status), context: context)
        case .sendContinue:
            let head = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            holdBytes(context: context)
        case .deliver:
            guard let head = assembler.head else { return }
            deadlines.update { $0.requestArrived() }
            setAnswering(true)
            let target = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            let request = AWSRequest(
                method: head.method.rawValue, path: String(target[0]), rawQuery: target.count > 1 ? String(target[1]) : "",
                headers: head.headers.map { ($0.name, Self.withoutTrailingSpace($0.value)) }, body: assembler.body,
                secretBody: assembler.secretBody, sourceAddress: connection.sourceAddress, receivedAt: Date(),
                isSecureTransport: connection.isSecure, peer: connection.peer)
            assembler = RequestAssembler(bounds: connection.bounds, secretTargets: secretTargets)
            let collected = CollectedRequest(request: request, isKeptAlive: head.isKeepAlive, heldBytes: heldBytes)
            heldBytes = 0
            context.fireChannelRead(wrapInboundOut(collected))
        }
    }

    /// Streams beside each other must not take what the bounds leave to one request at a time, which needs no counting.
    private func holdBytes(context: ChannelHandlerContext) {
        guard isStream else { return }
        guard connection.hold(assembler.bytes - heldBytes) else {
            refuse(.serviceUnavailable("The connection's requests are too long together."), context: context)
            return
        }
        heldBytes = assembler.bytes
    }

    private func releaseBytes() {
        connection.release(heldBytes)
        heldBytes = 0
    }

    private func setAnswering(_ isAnswering: Bool) {
        guard isAnswering != self.isAnswering else { return }
        self.isAnswering = isAnswering
        if isAnswering { connection.answerBegins() } else { connection.answerEnds() }
    }

    /// White space around a value is none of it (RFC 9110 section 5.5); the decoder drops only what leads.
    private static func withoutTrailingSpace(_ value: String) -> String {
        let spaces = value.utf8.reversed().prefix { $0 == 0x20 || $0 == 0x09 }.count
        return spaces == 0 ? value : String(decoding: value.utf8.dropLast(spaces), as: UTF8.self)
    }

    private func refuse(_ error: AWSError, context: ChannelHandlerContext) {
        let response = OutgoingResponse(
            response: .error(error), requestID: UUID.random().uuidString.lowercased(), isKeptAlive: false)
        write(response, context: context, promise: nil)
        isRefused = true
        assembler = RequestAssembler(bounds: connection.bounds)
        releaseBytes()
        // To close now, with bytes unread, would take the answer from the client (a reset overtakes it).
        deadlines.update { $0.refused(now: .now()) }
    }

    private func write(
        _ outgoing: OutgoingResponse, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?
    ) {
        deadlines.update { $0.responseStarted(now: .now()) }
        let response = outgoing.response
        let body = Self.buffer(for: response.body, allocator: context.channel.allocator)
        var headers = HTTPHeaders(response.headers)
        headers.replaceOrAdd(name: "x-amzn-RequestId", value: outgoing.requestID)
        headers.replaceOrAdd(name: "Content-Type", value: response.contentType)
        headers.replaceOrAdd(name: "Content-Length", value: String(body.readableBytes))
        if !outgoing.isKeptAlive { headers.replaceOrAdd(name: "Connection", value: "close") }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if body.readableBytes > 0 { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.cascade(to: promise)
        let bound = NIOLoopBound((collector: self, context: context, body: body), eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in
            if case .secret(let secret) = response.body {
                secret.wipe()
                // The socket has taken its bytes; the buffer was made for this answer alone.
                bound.value.body.overwrite()
            }
            bound.value.collector.responseWritten(outgoing, context: bound.value.context)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
    }

    private func responseWritten(_ outgoing: OutgoingResponse, context: ChannelHandlerContext) {
        if isRefused { return }
        guard outgoing.isKeptAlive else {
            context.close(promise: nil)
            return
        }
        deadlines.update { $0.responseEnded(now: .now()) }
        setAnswering(false)
    }

    private static func buffer(for body: AWSResponse.Body, allocator: ByteBufferAllocator) -> ByteBuffer {
        switch body {
        case .bytes(let bytes): return allocator.buffer(bytes: bytes)
        case .secret(let secret):
            // A secret wiped before its answer was sent leaves an answer without a body.
            return (try? secret.withUnsafeBytes { allocator.buffer(bytes: $0) }) ?? ByteBuffer()
        }
    }
}
