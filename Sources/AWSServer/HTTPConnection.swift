import AWSProtocol
import FoundationEssentials
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import TransportSecurity

/// One connection of an edge: the pipeline that reads requests within bounds, and the loop that answers them.
struct HTTPConnection: ServerChildChannel {
    /// Wraps the asynchronous channel, whose types are this module's own.
    struct Value: ServerChildChannelValue {
        let asyncChannel: NIOAsyncChannel<CollectedRequest, OutgoingResponse>
        var channel: any Channel { asyncChannel.channel }
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
        return channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let deadlines = DeadlineHandler(bounds: bounds)
            // The decoder stops what would grow without end; `RequestAssembler` measures exactly.
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = bounds.headerBytes + 1
            limits.maxHeaderListSize = bounds.headerBytes + 1
            limits.maxHeaderFieldCount = bounds.headerCount + 1
            try tls?.addHandlers(to: channel)
            // Behind TLS, where a request's first byte can be seen; the time of a handshake counts as a header's.
            try pipeline.addHandler(deadlines)
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: true,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
            try pipeline.addHandler(
                RequestCollector(
                    bounds: bounds, deadlines: deadlines, registry: registry, secretTargets: handler.secretTargets,
                    isSecure: tls != nil))
            return Value(asyncChannel: try NIOAsyncChannel(wrappingChannelSynchronously: channel))
        }
    }

    func handle(value: Value, logger: Logger) async {
        guard answersOnEventLoop else { return await serve(value, logger) }
        await withTaskExecutorPreference(EventLoopTaskExecutor(value.channel.eventLoop)) { await serve(value, logger) }
    }

    private func serve(_ value: Value, _ logger: Logger) async {
        do {
            try await value.asyncChannel.executeThenClose { inbound, outbound in
                for try await collected in inbound {
                    let requestID = UUID.random().uuidString.lowercased()
                    let response = await respond(to: collected.request, requestID: requestID)
                    try await outbound.write(
                        OutgoingResponse(
                            response: response, requestID: requestID, isKeptAlive: collected.isKeptAlive))
                }
            }
        } catch {
            // The client went away; there is nobody to tell.
            logger.trace("A connection ended early", metadata: ["error": "\(error)"])
        }
    }

    private func respond(to request: AWSRequest, requestID: String) async -> AWSResponse {
        if request.method == "GET", request.path == "/healthz", request.rawQuery.isEmpty {
            return AWSResponse(body: .bytes(Array("ok\n".utf8)), contentType: "text/plain")
        }
        return await handler.respond(to: request, requestID: requestID)
    }
}
