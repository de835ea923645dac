import NIOCore
import NIOHTTP1
import NIOHTTP2

extension HTTPConnection {
    /// On the channel's event loop, behind `deadlines`.
    func addHTTP1(
        to connection: Connection, _ deadlines: DeadlineHandler
    ) throws -> NIOAsyncChannel<CollectedRequest, OutgoingResponse> {
        deadlines.traffic = .requests
        let pipeline = connection.channel.pipeline.syncOperations
        // The decoder stops what would grow without end; `RequestAssembler` measures exactly.
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = bounds.headerBytes + 1
        limits.maxHeaderListSize = bounds.headerBytes + 1
        limits.maxHeaderFieldCount = bounds.headerCount + 1
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: true,
            withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
        try pipeline.addHandler(
            RequestCollector(
                connection: connection, deadlines: deadlines, secretTargets: handler.secretTargets, isStream: false))
        return try NIOAsyncChannel(wrappingChannelSynchronously: connection.channel)
    }

    /// On the channel's event loop, behind `deadlines`.
    func addHTTP2(to connection: Connection, _ deadlines: DeadlineHandler) throws -> AsyncStream<StreamRequest> {
        deadlines.traffic = .streams
        let channel = connection.channel
        // Bounded by what the connection may hold, since each request in it counts.
        let (requests, arrived) = AsyncStream.makeStream(of: StreamRequest.self)
        channel.closeFuture.whenComplete { _ in arrived.finish() }
        let end = HTTP2ConnectionHandler(deadlines: deadlines)
        let bound = NIOLoopBound(end, eventLoop: channel.eventLoop)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(ReadBufferWiper())
        // Requests come by `arrived`, whole: nobody has a use for the multiplexer's own sequence of streams.
        _ = try pipeline.configureAsyncHTTP2Pipeline(
            mode: .server, streamDelegate: nil, frameDelegate: HTTP2ConnectionHandler.Witness(handler: end),
            configuration: bounds.http2
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                bound.value.streamOpened(try stream.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID))
                stream.closeFuture.whenComplete { _ in bound.value.streamEnded() }
                try addRequest(to: stream, of: connection, arrived: arrived)
            }
        }
        try pipeline.addHandler(end)
        return requests
    }

    private func addRequest(
        to stream: any Channel, of connection: Connection, arrived: AsyncStream<StreamRequest>.Continuation
    ) throws {
        let deadlines = DeadlineHandler(connection: connection, traffic: .requests)
        try stream.pipeline.syncOperations.addHandlers([
            deadlines, HTTP2StreamCodec(),
            RequestCollector(connection: connection, deadlines: deadlines, secretTargets: handler.secretTargets, isStream: true),
            StreamRequest.Handover(arrived: arrived),
        ])
    }
}
