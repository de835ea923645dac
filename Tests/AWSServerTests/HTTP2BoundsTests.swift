import AWSProtocol
import AWSServer
import NIOCore
import Synchronization
import Testing

/// What a request of HTTP/2 may be, and what is refused of it.
@Suite struct HTTP2BoundsTests {
    private static let bodyBytes = 4096

    private func bounded(_ body: @escaping @Sendable (FrameConnection) async throws -> Void) async throws {
        var bounds = AWSServerBounds()
        bounds.bodyBytes = Self.bodyBytes
        bounds.drainDeadline = .milliseconds(200)
        try await withFrames(bounds: bounds, body)
    }

    @Test func theHostIsTheAuthority() async throws {
        typealias Fields = [(String, String)]
        let rest = [(":method", "POST"), (":scheme", "https"), (":path", "/")]
        let cases: [(Fields, Fields, Int)] = [
            (rest + [(":authority", "h:1")], [], 200), (rest + [(":authority", "h:1")], [("host", "h:1")], 200),
            (rest, [("host", "h:1")], 200), (rest + [(":authority", "h:1")], [("host", "h:2")], 400),
            (rest + [(":authority", "h:1")], [("host", "h:1"), ("host", "h:2")], 400),
            (rest + [(":authority", "h:1")], [("x", " 1")], 400), (rest + [(":authority", "h:1")], [("x", "1\t")], 400),
            ([(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "h:1")], [], 400),
            ([(":method", "POST"), (":scheme", "https"), (":path", "*"), (":authority", "h:1")], [], 400),
            ([(":method", "POST"), (":scheme", "https"), (":path", "https://h/"), (":authority", "h:1")], [], 400),
            ([(":method", "CONNECT"), (":authority", "h:1")], [], 400),
        ]
        try await bounded { connection in
            for (index, (pseudo, headers, status)) in cases.enumerated() {
                try await connection.request(2 * index + 1, headers, pseudo: pseudo)
                #expect(try await connection.answer(to: 2 * index + 1).status == status, "\(pseudo) \(headers)")
            }
        }
    }

    /// The stream is reset, and the others go on.
    @Test func malformedRequestsAreReset() async throws {
        let usual = FrameConnection.pseudoHeaders
        let cases: [[(String, String)]] = [
            usual + [("connection", "close")], usual + [("transfer-encoding", "chunked")], usual + [("keep-alive", "1")],
            usual + [("upgrade", "h2c")], usual + [("proxy-connection", "close")], usual + [("te", "gzip")],
            usual + [("X-Upper", "1")], usual + [("x y", "1")], usual + [("x:", "1")], usual + [("x", "a\r\nhost: b")],
            usual + [("x", "a\0b")], usual + [("x", "1"), (":path", "/")], usual + [(":path", "/other")],
            usual + [(":unknown", "1")], usual + [(":status", "200")], Array(usual.dropFirst()), Array(usual.dropLast()),
            [(":method", "POST"), (":scheme", "https"), (":authority", "h"), (":path", "")],
            [(":method", "POST"), (":scheme", "https"), (":authority", "h"), (":path", "/ HTTP/1.1\r\nx: y")],
            usual + [("content-length", "4"), ("content-length", "5")], usual + [("content-length", "-1")],
            usual + [("content-length", "x")],
        ]
        try await bounded { connection in
            for (index, headers) in cases.enumerated() {
                try await connection.request(4 * index + 1, pseudo: headers, body: "xxxx")
                let answer = try await connection.answer(to: 4 * index + 1)
                #expect(answer.reset == FrameConnection.protocolError && answer.status == nil, "\(headers)")
                try await connection.request(4 * index + 3)
                #expect(try await connection.answer(to: 4 * index + 3).status == 200, "\(headers)")
            }
        }
    }

    @Test func aBodyIsAsLongAsItWasSaidToBe() async throws {
        try await bounded { connection in
            for (index, length) in ["3", "5", "0", "4"].enumerated() {
                let stream = 2 * index + 1
                try await connection.request(stream, [("content-length", length)], body: "xxxx")
                let answer = try await connection.answer(to: stream)
                if length == "4" {
                    #expect(answer.body == #"{"Length":4}"#)
                } else {
                    #expect(answer.reset == FrameConnection.protocolError && answer.status == nil, "\(length)")
                }
            }
            // Numbers that readers take differently, and trailers.
            for (stream, length) in [(11, ["+4"]), (13, ["4", "4"]), (15, ["99999999999"])] {
                try await connection.request(stream, length.map { ("content-length", $0) }, body: "xxxx")
                let status = try await connection.answer(to: stream).status
                #expect(status == (stream == 15 ? 413 : 400), "\(length)")
            }
            let head = try connection.block(FrameConnection.pseudoHeaders)
            let trailers = try connection.block([("x-amz-target", "a")])
            try await connection.sendAll([
                (.headers, .endHeaders, 17, head), (.data, [], 17, [1]), (.headers, [.endHeaders, .endStream], 17, trailers),
            ])
            #expect(try await connection.answer(to: 17).status == 400)
        }
    }

    @Test(arguments: [(bodyBytes - 1, 200), (bodyBytes, 200), (bodyBytes + 1, 413)])
    func bodiesAreBounded(count: Int, code: Int) async throws {
        try await bounded { connection in
            let body = String(repeating: "x", count: count)
            try await connection.request(1, [("content-length", String(count))], body: body)
            #expect(try await connection.answer(to: 1).status == code)
            try await connection.request(3, body: body)
            #expect(try await connection.answer(to: 3).status == code)
            try await connection.request(5)
            #expect(try await connection.answer(to: 5).status == 200)
        }
    }

    /// 99 beside the host.
    @Test(arguments: [(99, 200), (100, 431)])
    func headersAreCounted(count: Int, code: Int) async throws {
        try await bounded { connection in
            try await connection.request(1, (0..<count).map { ("x-\($0)", "1") })
            #expect(try await connection.answer(to: 1).status == code)
        }
    }

    @Test(arguments: [(-1, 200), (0, 200), (1, 431)])
    func headersAreMeasured(excess: Int, code: Int) async throws {
        try await bounded { connection in
            // Until the client has said that it knows ours, NIO's own settings are in force.
            try await connection.settingsAreKnown()
            let length = (16 << 10) + excess - "hosth:1".count - 2
            let head = try connection.block(
                FrameConnection.pseudoHeaders + [("x", String(repeating: "v", count: length / 2))]
                    + [("y", String(repeating: "v", count: length - length / 2))])
            try await connection.sendAll([
                (.headers, .endStream, 1, Array(head.prefix(10_000))),
                (.continuation, .endHeaders, 1, Array(head.dropFirst(10_000))),
            ])
            #expect(try await connection.answer(to: 1).status == code)
        }
    }

    /// The requests of one connection together hold no more than the longest one may.
    @Test func streamsShareTheRoomOfOneRequest() async throws {
        try await bounded { connection in
            let body = Array(repeating: UInt8(ascii: "x"), count: Self.bodyBytes)
            let head = try connection.block(FrameConnection.pseudoHeaders)
            // The room is that of a body and of headers.
            for stream in stride(from: 1, through: 11, by: 2) {
                try await connection.sendAll([(.headers, .endHeaders, stream, head), (.data, [], stream, body)])
            }
            #expect(try await connection.answer(to: 11).status == 503)
            #expect(connection.answers.filter { $0.value.status == 503 }.keys.sorted() == [9, 11])
            try await connection.send(.data, .endStream, stream: 1)
            #expect(try await connection.answer(to: 1).status == 200)
            // What was answered makes room.
            try await connection.request(13, body: "x")
            #expect(try await connection.answer(to: 13).status == 200)
        }
    }
}
