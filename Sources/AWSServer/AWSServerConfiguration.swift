package import TransportSecurity

/// Where an edge listens and within which bounds it reads.
package struct AWSServerConfiguration: Sendable {
    package var host: String
    /// 0 takes a free port, which `AWSServer`'s `onBound` tells.
    package var port: Int
    /// Nil for plain text, which is spoken on this machine only, unless `allowsPlainText`.
    package var tls: ServerTLS?
    /// For what has no secret and is to be read by machines beside this one, such as dials.
    package var allowsPlainText: Bool
    package var bounds: AWSServerBounds
    /// Whether the handler runs on the connections' event loops: fewer threads take part in a request, and a handler that computes for
    /// long holds up the other connections of its loop.
    package var answersOnEventLoop: Bool

    package init(
        host: String = "127.0.0.1", port: Int = 0, tls: ServerTLS? = nil, allowsPlainText: Bool = false,
        bounds: AWSServerBounds = .init(), answersOnEventLoop: Bool = false
    ) {
        self.host = host
        self.port = port
        self.tls = tls
        self.allowsPlainText = allowsPlainText
        self.bounds = bounds
        self.answersOnEventLoop = answersOnEventLoop
    }

    /// Throws an error that names the offending field.
    package func validate() throws(AWSServerError) {
        guard (0...65_535).contains(port) else { throw .configuration("port must lie between 0 and 65535") }
        guard tls != nil || allowsPlainText || Self.isLoopback(host) else {
            throw .configuration(
                "host must be 127.0.0.1, ::1 or localhost where no certificate is set: connections there are not encrypted")
        }
        try bounds.validate()
    }

    /// `localhost` is taken at its word; every other name could resolve to anything.
    package static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return octets.count == 4 && octets.allSatisfy { $0 != nil } && octets[0] == 127
    }
}

/// The bounds of one edge. What is beyond them is answered with an error, where there is still somebody to answer, and
/// the connection is closed.
package struct AWSServerBounds: Sendable {
    /// Names and values of all headers of a request together.
    package var headerBytes = 16 << 10
    package var headerCount = 100
    package var bodyBytes = 1 << 20
    /// From the first byte of a request (from accepting, for the first) to the end of its headers.
    package var headerDeadline: Duration = .seconds(10)
    /// A body that comes slower, averaged after the header deadline's worth of grace, is given up.
    package var bodyBytesPerSecond = 1 << 10
    /// Between requests, and for a client to take an answer.
    package var idleDeadline: Duration = .seconds(60)
    /// How long a refused client may go on sending, so that the refusal reaches it.
    package var drainDeadline: Duration = .seconds(2)
    /// Beyond it, the connection that has been without a request for longest is closed.
    package var connections = 1024
    /// Streams that are open on one HTTP/2 connection; one more ends the connection.
    package var streams = 100
    /// Requests of one HTTP/2 connection that are answered at a time, each until the client has taken its answer. Further ones wait.
    package var requestsAtOnce = 16
    /// What a client of HTTP/2 may send that makes work and no progress: resets in half a minute, pings, settings and priorities together
    /// in half a minute, malformed requests on one connection. One more ends the connection.
    package var idleFrames = 200

    package init() {}

    /// Headers and bodies of the requests that one connection has unanswered: those of the longest request, over HTTP/2 too.
    var connectionBytes: Int { headerBytes + bodyBytes }

    func validate() throws(AWSServerError) {
        let counts = [
            ("headerBytes", headerBytes), ("headerCount", headerCount), ("bodyBytes", bodyBytes),
            ("bodyBytesPerSecond", bodyBytesPerSecond), ("connections", connections), ("streams", streams),
            ("requestsAtOnce", requestsAtOnce), ("idleFrames", idleFrames),
        ]
        for (name, value) in counts where value < 1 { throw .configuration("\(name) must be at least 1") }
        let durations = [
            ("headerDeadline", headerDeadline), ("idleDeadline", idleDeadline), ("drainDeadline", drainDeadline),
        ]
        for (name, value) in durations where value <= .zero { throw .configuration("\(name) must be longer than 0") }
    }
}
