import AWSProtocol
import AWSServer
import NIOCore
import Secrets
import Synchronization
import Testing

/// Clients of HTTP/2 that make work, or keep things waiting: each is ended by a bound.
@Suite struct HTTP2AttackTests {
    private static let limit = 10

    private var hasty: AWSServerBounds {
        var bounds = AWSServerBounds()
        bounds.idleFrames = Self.limit
        bounds.headerDeadline = .seconds(2)
        bounds.idleDeadline = .milliseconds(400)
        bounds.drainDeadline = .milliseconds(400)
        return bounds
    }

    /// Headers that ask for nothing much, with a body to come or without.
    private static func opening(_ connection: FrameConnection) throws -> [UInt8] {
        try connection.block(FrameConnection.pseudoHeaders)
    }

    @Test(arguments: [limit - 1, limit, limit + 1])
    func resetsAreCounted(count: Int) async throws {
        var bounds = hasty
        bounds.idleDeadline = .seconds(60)
        try await withFrames(bounds: bounds) { connection in
            let head = try Self.opening(connection)
            for index in 0..<count {
                let stream = 2 * index + 1
                try await connection.sendAll([
                    (.headers, .endHeaders, stream, head),
                    (.reset, [], stream, FrameConnection.bytes(FrameConnection.cancel)),
                ])
            }
            try await Self.expectEnd(of: connection, next: 2 * count + 1, if: count > Self.limit)
        }
    }

    /// Settings and what is said in answer to the server's are two of them.
    @Test(arguments: [FrameConnection.Kind.ping, .settings, .priority], [limit - 3, limit - 2, limit - 1])
    func framesThatAskForNothingAreCounted(kind: FrameConnection.Kind, count: Int) async throws {
        var bounds = hasty
        bounds.idleDeadline = .seconds(60)
        try await withFrames(bounds: bounds) { connection in
            try await connection.settingsAreKnown()
            let payload: [UInt8] =
                switch kind {
                case .ping: Array(repeating: 0, count: 8)
                case .priority: [0, 0, 0, 0, 1]
                default: []
                }
            for _ in 0..<count { try await connection.send(kind, stream: kind == .priority ? 1 : 0, payload: payload) }
            try await Self.expectEnd(of: connection, next: 3, if: count > Self.limit - 2)
        }
    }

    @Test(arguments: [limit - 1, limit, limit + 1])
    func malformedRequestsAreCounted(count: Int) async throws {
        var bounds = hasty
        bounds.idleDeadline = .seconds(60)
        try await withFrames(bounds: bounds) { connection in
            for index in 0..<count { try await connection.request(2 * index + 1, [("connection", "close")]) }
            try await Self.expectEnd(of: connection, next: 2 * count + 1, if: count > Self.limit)
        }
    }

    private static func expectEnd(of connection: FrameConnection, next stream: Int, if isEnded: Bool) async throws {
        try await connection.request(stream)
        if isEnded {
            #expect(try await connection.end()?.code == FrameConnection.enhanceYourCalm)
        } else {
            #expect(try await connection.answer(to: stream).status == 200)
        }
    }

    /// Work that was begun for a stream that was reset ends in its own time: there is no more of it than of requests at a time.
    @Test func resetRequestsAreNotWorkedOnWithoutEnd() async throws {
        let begun = Mutex(0)
        let arrived = Signal()
        let mayAnswer = Signal()
        var bounds = AWSServerBounds()
        bounds.requestsAtOnce = 3
        let status = try await withFrames(
            bounds: bounds,
            handler: { request, _ in
                let count = begun.withLock {
                    $0 += 1
                    return $0
                }
                if count == 3 { await arrived.open() }
                await mayAnswer.wait()
                return .json(["Path": .string(request.path)])
            }
        ) { connection in
            let head = try Self.opening(connection)
            for stream in stride(from: 1, through: 99, by: 2) {
                try await connection.send(.headers, [.endHeaders, .endStream], stream: stream, payload: head)
            }
            await arrived.wait()
            for stream in stride(from: 1, through: 99, by: 2) {
                try await connection.send(.reset, stream: stream, payload: FrameConnection.bytes(FrameConnection.cancel))
            }
            // Answered in order: once a ping is, the resets have been heard of.
            try await connection.request(101)
            try await connection.request(
                103, pseudo: [(":method", "POST"), (":scheme", "https"), (":authority", "h"), (":path", "*")])
            #expect(try await connection.answer(to: 103).status == 400)
            await mayAnswer.open()
            return try await connection.answer(to: 101).status
        }
        #expect(status == 200)
        #expect(begun.withLock { $0 } == 4)
    }

    @Test(arguments: [(2, 200), (3, 200), (4, nil)] as [(Int, Int?)])
    func openStreamsAreCounted(count: Int, status: Int?) async throws {
        var bounds = AWSServerBounds()
        bounds.streams = 3
        try await withFrames(bounds: bounds) { connection in
            try await connection.settingsAreKnown()
            let head = try Self.opening(connection)
            for index in 0..<count { try await connection.send(.headers, .endHeaders, stream: 2 * index + 1, payload: head) }
            try await connection.send(.data, .endStream, stream: 1)
            if status == nil {
                #expect(try await connection.end()?.code == FrameConnection.protocolError)
            } else {
                #expect(try await connection.answer(to: 1).status == status)
            }
        }
    }

    @Test func headersInManyPiecesOrTooLongEndTheConnection() async throws {
        for (count, bytes, code) in [
            (100, 1, FrameConnection.enhanceYourCalm), (4, 16_000, FrameConnection.protocolError),
        ] {
            try await withFrames(bounds: hasty) { connection in
                try await connection.settingsAreKnown()
                let head = try Self.opening(connection)
                var frames: [(FrameConnection.Kind, FrameConnection.Flags, Int, [UInt8])] = [(.headers, [], 1, head)]
                for _ in 0..<count { frames.append((.continuation, [], 1, Array(repeating: 0, count: bytes))) }
                try await connection.sendAll(frames)
                #expect(try await connection.end()?.code == code)
            }
        }
    }

    /// A kilobyte that stands for more than a megabyte: one header of four kilobytes, named three hundred times.
    @Test func headersThatUnfoldAreNotUnfolded() async throws {
        try await withFrames { connection in
            try await connection.settingsAreKnown()
            var head = try connection.block(FrameConnection.pseudoHeaders + [("x", String(repeating: "v", count: 3_900))])
            // The newest of the dynamic table, by its number.
            head += Array(repeating: 0x80 | 62, count: 300)
            try await connection.send(.headers, [.endHeaders, .endStream], stream: 1, payload: head)
            #expect(try await connection.end()?.code == FrameConnection.compressionError)
        }
    }

    @Test func headersThatNeverEndAreEnded() async throws {
        try await withFrames(bounds: hasty) { connection in
            // What the client says in answer to settings must not come into the middle of headers.
            try await connection.settingsAreKnown()
            try await connection.send(.headers, stream: 1, payload: try Self.opening(connection))
            #expect(try await connection.end() == nil)
            #expect(connection.answers.isEmpty)
        }
    }

    /// Of the others on the connection, none notices.
    @Test func aStreamWhoseBodyNeverEndsIsReset() async throws {
        var bounds = hasty
        bounds.idleDeadline = .seconds(60)
        try await withFrames(bounds: bounds) { connection in
            try await connection.sendAll([
                (.headers, .endHeaders, 1, try Self.opening(connection)), (.data, [], 1, [1]),
            ])
            try await connection.request(3, body: "x")
            #expect(try await connection.answer(to: 3).status == 200)
            let slow = try await connection.answer(to: 1)
            #expect(slow.reset == FrameConnection.cancel && slow.status == nil)
            try await connection.request(5)
            #expect(try await connection.answer(to: 5).status == 200)
        }
    }

    /// With windows of nothing: the answers wait, there are no more of them than requests at a time, and then the connection ends.
    @Test func whoTakesNoAnswersLosesTheConnection() async throws {
        let answered = Mutex(0)
        let secret = JSONObject([]).serialized(
            secretMember: "Plaintext", SecretBytes(count: 3) { $0.copyBytes(from: "abc".utf8) })
        var bounds = hasty
        bounds.requestsAtOnce = 3
        let noWindow: [(UInt16, UInt32)] = [(4, 0)]
        try await withFrames(
            bounds: bounds, settings: noWindow,
            handler: { _, _ in
                answered.withLock { $0 += 1 }
                return .secretJSON(secret)
            }
        ) { connection in
            for stream in stride(from: 1, through: 39, by: 2) { try await connection.request(stream) }
            _ = try await connection.end()
            #expect(connection.answers.values.allSatisfy { $0.body.isEmpty && !$0.isComplete })
        }
        #expect(answered.withLock { $0 } == 3)
        #expect(secret.isWiped)
    }

    @Test func anIdleConnectionIsToldSoAndClosed() async throws {
        try await withFrames(bounds: hasty) { connection in
            try await connection.request(1)
            #expect(try await connection.answer(to: 1).status == 200)
            #expect(try await connection.end() == .init(lastStream: 1, code: 0))
        }
    }

    /// However busy it is with pings.
    @Test func aConnectionThatNeverAsksIsClosed() async throws {
        try await withFrames(bounds: hasty) { connection in
            try await connection.send(.ping, payload: Array(repeating: 0, count: 8))
            #expect(try await connection.end() == nil)
        }
    }

    /// One that is being answered on any of its streams is not the one to go.
    @Test func aConnectionAtWorkKeepsItsPlace() async throws {
        let mayAnswer = Signal()
        let arrived = Signal()
        var bounds = AWSServerBounds()
        bounds.connections = 1
        try await Certified.with { certified in
            let client = try certified.client()
            try await TestServer.with(
                bounds: bounds, tls: try certified.server,
                handler: { request, id in
                    if request.path == "/wait" {
                        await arrived.open()
                        await mayAnswer.wait()
                    }
                    return await TestServer.length(request, id)
                }
            ) { port in
                try await FrameConnection.with(port: port, tls: client) { connection in
                    try await connection.request(
                        1, pseudo: [(":method", "POST"), (":scheme", "https"), (":authority", "h"), (":path", "/wait")])
                    await arrived.wait()
                    try await connection.request(3)
                    #expect(try await connection.answer(to: 3).status == 200)
                    let text = try await RawConnection.exchange(port: port, "\u{16}")
                    #expect(text.isEmpty || text == "<reset>")
                    await mayAnswer.open()
                    #expect(try await connection.answer(to: 1).status == 200)
                }
            }
        }
    }
}
