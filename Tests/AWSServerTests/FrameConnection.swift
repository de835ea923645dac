import AWSProtocol
import AWSServer
import Certificates
import Foundation
import Logging
import NIOCore
import NIOHPACK
import NIOPosix
import NIOSSL
import TransportSecurity

/// A connection of HTTP/2 over TLS that sends frames as a test likes, in order or not.
final class FrameConnection {
    enum Kind: UInt8 {
        case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    struct Flags: OptionSet {
        let rawValue: UInt8
        static let endStream = Flags(rawValue: 1)
        static let ack = Flags(rawValue: 1)
        static let endHeaders = Flags(rawValue: 4)
    }

    /// What came of a stream.
    struct Answer: Equatable {
        var status: Int?
        var headers: [String: String] = [:]
        var body = ""
        var isComplete = false
        /// Its code, where the stream was reset.
        var reset: UInt32?
    }

    struct Farewell: Equatable {
        var lastStream: Int
        var code: UInt32
    }

    static let protocolError: UInt32 = 1
    static let cancel: UInt32 = 8
    static let compressionError: UInt32 = 9
    static let enhanceYourCalm: UInt32 = 11

    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var received = ByteBuffer()
    private var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
    private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
    private(set) var answers: [Int: Answer] = [:]
    /// In the order in which they ended.
    private(set) var ended: [Int] = []
    private(set) var farewell: Farewell?
    private(set) var isClosed = false

    private init(
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>, _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>
    ) {
        self.outbound = outbound
        self.inbound = inbound.makeAsyncIterator()
    }

    /// Connects and sends the preface, with settings of the client's.
    static func with<R: Sendable>(
        port: Int, tls: NIOSSLContext, settings: [(UInt16, UInt32)] = [],
        _ body: @escaping @Sendable (FrameConnection) async throws -> R
    ) async throws -> R {
        try await waiting(for: "a connection's end") {
            let channel = try await connectedOverTLS(port: port, tls)
            return try await channel.executeThenClose { inbound, outbound in
                let connection = FrameConnection(outbound, inbound)
                try await outbound.write(ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
                try await connection.send(.settings, payload: settings.flatMap { bytes($0.0) + bytes($0.1) })
                return try await body(connection)
            }
        }
    }

    // MARK: Sending

    static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    func send(_ kind: Kind, _ flags: Flags = [], stream: Int = 0, payload: [UInt8] = []) async throws {
        try await sendAll([(kind, flags, stream, payload)])
    }

    /// Several frames in one write. Who has closed takes none, which is not what a test is about: what it said is read.
    func sendAll(_ frames: [(Kind, Flags, Int, [UInt8])]) async throws {
        var buffer = ByteBuffer()
        for (kind, flags, stream, payload) in frames {
            buffer.writeBytes(Self.bytes(UInt32(payload.count)).dropFirst())
            buffer.writeBytes([kind.rawValue, flags.rawValue])
            buffer.writeInteger(UInt32(stream))
            buffer.writeBytes(payload)
        }
        try? await outbound.write(buffer)
    }

    static let pseudoHeaders = [(":method", "POST"), (":scheme", "https"), (":authority", "h:1"), (":path", "/")]

    func block(_ headers: [(String, String)]) throws -> [UInt8] {
        var buffer = ByteBuffer()
        try encoder.encode(headers: HPACKHeaders(headers), to: &buffer)
        return Array(buffer.readableBytesView)
    }

    /// Headers with the usual pseudo-headers before them, and a body where there is one.
    func request(
        _ stream: Int, _ headers: [(String, String)] = [], pseudo: [(String, String)] = pseudoHeaders, body: String? = nil
    ) async throws {
        let head = try block(pseudo + headers)
        var frames: [(Kind, Flags, Int, [UInt8])] = [
            (.headers, body == nil ? [.endHeaders, .endStream] : .endHeaders, stream, head)
        ]
        var rest = Array((body ?? "").utf8)[...]
        while body != nil {
            let part = rest.prefix(16_384)
            rest = rest.dropFirst(part.count)
            frames.append((.data, rest.isEmpty ? .endStream : [], stream, Array(part)))
            if rest.isEmpty { break }
        }
        try await sendAll(frames)
    }

    // MARK: Receiving

    /// What comes of a stream, once it is complete or reset or the connection has ended.
    func answer(to stream: Int) async throws -> Answer {
        while answers[stream]?.isComplete != true, answers[stream]?.reset == nil, !isClosed { try await receive() }
        return answers[stream] ?? Answer()
    }

    /// Reads until the server has closed, and gives what it said on the way.
    func end() async throws -> Farewell? {
        while !isClosed { try await receive() }
        return farewell
    }

    func settingsAreKnown() async throws {
        while !knowsSettings, !isClosed { try await receive() }
    }

    private var knowsSettings = false

    func receive() async throws {
        if try await takeFrame() { return }
        guard let buffer = try? await inbound.next() else {
            isClosed = true
            return
        }
        received.writeImmutableBuffer(buffer)
    }

    private func takeFrame() async throws -> Bool {
        guard let header = received.getBytes(at: received.readerIndex, length: 9) else { return false }
        let length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
        guard received.readableBytes >= 9 + length else { return false }
        received.moveReaderIndex(forwardBy: 9)
        guard var payload = received.readSlice(length: length) else { return false }
        let stream = Int(header[5] & 0x7f) << 24 | Int(header[6]) << 16 | Int(header[7]) << 8 | Int(header[8])
        let flags = Flags(rawValue: header[4])
        switch Kind(rawValue: header[3]) {
        case .headers:
            for field in try decoder.decodeHeaders(from: &payload) {
                if field.name == ":status" {
                    answers[stream, default: Answer()].status = Int(field.value)
                } else {
                    answers[stream, default: Answer()].headers[field.name] = field.value
                }
            }
        case .data: answers[stream, default: Answer()].body += String(buffer: payload)
        case .reset:
            answers[stream, default: Answer()].reset = payload.readInteger()
            ended.append(stream)
        case .goAway:
            guard let (last, code) = payload.readMultipleIntegers(as: (UInt32, UInt32).self) else { return true }
            farewell = Farewell(lastStream: Int(last), code: code)
        case .settings where !flags.contains(.ack):
            knowsSettings = true
            try await send(.settings, .ack)
        default: break
        }
        if flags.contains(.endStream), [Kind.headers, .data].contains(Kind(rawValue: header[3])) {
            answers[stream, default: Answer()].isComplete = true
            ended.append(stream)
        }
        return true
    }
}

/// Certificates for servers and their clients.
struct Certified: Sendable {
    let folder: CertificateFolder

    static func with<R>(_ body: (Certified) async throws -> R) async throws -> R {
        let path = FileManager.default.temporaryDirectory.path + "/http2-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = CertificateFolder(path)
        try folder.makeAuthority(now: Date())
        let names = [try CertificateName("127.0.0.1")]
        for identity in [ProcessIdentity.authority, .api] {
            try folder.issue(identity, as: identity.role, names: names, seconds: 3600, now: Date())
        }
        return try await body(Certified(folder: folder))
    }

    var server: ServerTLS {
        get throws {
            try ServerTLS(
                TLSFiles(
                    certificate: folder.certificate("authority"), key: folder.key("authority"), authorities: folder.authority),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
    }

    func client(_ protocols: [String] = ["h2"], certificate: String? = nil) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(folder.authority)
        configuration.applicationProtocols = protocols
        if let certificate {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(folder.certificate(certificate))
                .map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: folder.key(certificate), format: .pem))
        }
        return try NIOSSLContext(configuration: configuration)
    }
}

/// A server that speaks HTTP/2, and one connection to it.
func withFrames<R: Sendable>(
    bounds: AWSServerBounds = .init(), settings: [(UInt16, UInt32)] = [], secretTargets: Set<String> = [],
    certificate: String? = nil,
    handler: @escaping @Sendable (AWSRequest, String) async -> AWSResponse = TestServer.length,
    _ body: @escaping @Sendable (FrameConnection) async throws -> R
) async throws -> R {
    try await Certified.with { certified in
        let client = try certified.client(certificate: certificate)
        return try await TestServer.with(
            bounds: bounds, tls: try certified.server, secretTargets: secretTargets, handler: handler
        ) { port in
            try await FrameConnection.with(port: port, tls: client, settings: settings, body)
        }
    }
}

/// Bytes in and out of a connection to the server under test.
func connectedOverTLS(port: Int, _ tls: NIOSSLContext) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
    try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil))
            return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
        }
    }
}
