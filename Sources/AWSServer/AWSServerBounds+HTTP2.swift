import NIOHTTP2

extension AWSServerBounds {
    /// What NIO checks of HTTP/2 by itself, before there is a stream.
    var http2: NIOHTTP2Handler.Configuration {
        var configuration = NIOHTTP2Handler.Configuration()
        configuration.connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: streams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: headerListBytes),
        ]
        // Of what is answered to pings and settings while the client takes nothing.
        configuration.connection.maximumBufferedControlFrames = 1000
        configuration.connection.controlFrameRateLimit.maximumCount = idleFrames
        configuration.connection.maximumConnectionGlitches = idleFrames
        configuration.stream.streamResetFrameRateLimit.maximumCount = idleFrames
        configuration.stream.streamErrorRateLimit.maximumCount = idleFrames
        return configuration
    }

    /// Beyond it the connection ends, since the header table is lost; up to it `RequestAssembler` measures and answers. HTTP/2 counts 32
    /// bytes for each header and, as headers, what the first line of HTTP/1.1 holds.
    private var headerListBytes: Int { 2 * headerBytes + 32 * headerCount }
}
