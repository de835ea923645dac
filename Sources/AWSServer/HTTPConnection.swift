import AWSProtocol
import FoundationEssentials
import HummingbirdCore
import Logging
import NIOCore
import NIOTLS
import TransportSecurity

/// One connection of an edge: the pipeline that reads requests within bounds, and the loop that answers them.
struct HTTPConnection: ServerChildChannel {
    /// Wraps channels and streams whose types are this module's own.
    struct Value: ServerChildChannelValue {
        let connection: Connection
        /// Known once TLS has told what the client speaks.
        let requests: EventLoopFuture<Requests>
        var channel: any Channel { connection.channel }
    }

    enum Requests: Sendable {
        /// One after the other, with their answers.
        case http1(NIOAsyncChannel<CollectedRequest, OutgoingResponse>)
        /// Each with the stream that its answer goes to.
        case http2(AsyncStream<StreamRequest>)
    }

    let bounds: AWSServerBounds
    let handler: any AWSRequestHandler
    let registry: ConnectionRegistry
    let answersOnEventLoop: Bool
    let tls: ServerTLS?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        if let surplus = registry.admit(channel) {
            logger.debug("Closing a connection over the bound", metadata: ["connections": "\(registry.count)"])
            surplus.close(promise: nil)
        }
        channel.closeFuture.whenComplete { [registry] _ in registry.remove(channel) }
        let connection = Connection(channel: channel, bounds: bounds, registry: registry, isSecure: tls != nil)
        return channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            guard let tls else {
                let deadlines = DeadlineHandler(connection: connection, traffic: .requests)
                try pipeline.addHandler(deadlines)
                let requests = Requests.http1(try addHTTP1(to: connection, deadlines))
                return Value(connection: connection, requests: channel.eventLoop.makeSucceededFuture(requests))
            }
            let deadlines = DeadlineHandler(connection: connection, traffic: .undecided)
            let choice = NIOTypedApplicationProtocolNegotiationHandler<Requests> { choice, channel in
                channel.eventLoop.makeCompletedFuture {
                    if case .negotiated("h2") = choice { return .http2(try addHTTP2(to: connection, deadlines)) }
                    return .http1(try addHTTP1(to: connection, deadlines))
                }
            }
            try tls.addHandlers(to: channel)
            // Behind TLS, where a request's first byte can be seen; the time of a handshake counts as a header's.
            try pipeline.addHandlers([deadlines, choice])
            return Value(connection: connection, requests: choice.protocolNegotiationResult)
        }
    }

    func handle(value: Value, logger: Logger) async {
        guard answersOnEventLoop else { return await serve(value, logger) }
        await withTaskExecutorPreference(EventLoopTaskExecutor(value.channel.eventLoop)) { await serve(value, logger) }
    }

    private func serve(_ value: Value, _ logger: Logger) async {
        do {
            let requests = try await withTaskCancellationHandler {
                try await value.requests.get()
            } onCancel: {
                // A handshake may take long, and nobody waits for it any more.
                value.channel.close(promise: nil)
            }
            switch requests {
            case .http1(let channel): try await answer(channel)
            case .http2(let requests): await answer(requests, of: value.connection)
            }
        } catch {
            // The client went away; there is nobody to tell.
            logger.trace("A connection ended early", metadata: ["error": "\(error)"])
        }
    }

    /// Answers one request after the other.
    private func answer(_ channel: NIOAsyncChannel<CollectedRequest, OutgoingResponse>) async throws {
        try await channel.executeThenClose { inbound, outbound in
            for try await collected in inbound { try await outbound.write(await response(to: collected)) }
        }
    }

    /// Answers the requests of a connection's streams, up to a bound at a time: who doesn't take the answers gets no more of them.
    private func answer(_ requests: AsyncStream<StreamRequest>, of connection: Connection) async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await request in requests {
                if running == bounds.requestsAtOnce {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask {
                    defer { connection.release(request.collected.heldBytes) }
                    // A stream that was reset while it waited costs no work.
                    guard request.stream.isActive else { return }
                    let response = await response(to: request.collected)
                    // A client that has reset it meanwhile is not there to be told.
                    try? await request.stream.writeAndFlush(response).get()
                }
            }
        }
        try? await connection.channel.close()
    }

    private func response(to collected: CollectedRequest) async -> OutgoingResponse {
        let requestID = UUID.random().uuidString.lowercased()
        let response = await respond(to: collected.request, requestID: requestID)
        return OutgoingResponse(response: response, requestID: requestID, isKeptAlive: collected.isKeptAlive)
    }

    private func respond(to request: AWSRequest, requestID: String) async -> AWSResponse {
        if request.method == "GET", request.path == "/healthz", request.rawQuery.isEmpty {
            return AWSResponse(body: .bytes(Array("ok\n".utf8)), contentType: "text/plain")
        }
        return await handler.respond(to: request, requestID: requestID)
    }
}
