import AWSProtocol
import AWSServer
import NIOCore
import Testing

@Suite struct ConnectionDeadlinesTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func at(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }

    @Test func aNewConnectionMustSendItsHeadersAtOnce() {
        var deadlines = ConnectionDeadlines(bounds: AWSServerBounds(), now: start)
        #expect(deadlines.deadline == at(10))
        deadlines.bytesArrived(now: at(9))
        #expect(deadlines.deadline == at(10))
    }

    @Test func aBodyMustKeepUpItsRate() {
        var deadlines = ConnectionDeadlines(bounds: AWSServerBounds(), now: start)
        deadlines.headArrived(now: at(5))
        #expect(deadlines.deadline == at(15))
        deadlines.bodyArrived(bytes: 2048)
        #expect(deadlines.deadline == at(17))
    }

    @Test func aRequestBeingAnsweredHasNoDeadlineHere() {
        var deadlines = ConnectionDeadlines(bounds: AWSServerBounds(), now: start)
        deadlines.headArrived(now: start)
        deadlines.requestArrived()
        #expect(deadlines.deadline == nil)
        deadlines.responseStarted(now: at(100))
        #expect(deadlines.deadline == at(160))
    }

    @Test func betweenRequestsAConnectionMayIdleUntilTheNextsFirstByte() {
        var deadlines = ConnectionDeadlines(bounds: AWSServerBounds(), now: start)
        deadlines.headArrived(now: start)
        deadlines.requestArrived()
        deadlines.responseStarted(now: at(1))
        deadlines.responseEnded(now: at(2))
        #expect(deadlines.deadline == at(62))
        deadlines.bytesArrived(now: at(50))
        #expect(deadlines.deadline == at(60))
    }

    @Test func bytesSentAheadStartTheNextRequest() {
        var deadlines = ConnectionDeadlines(bounds: AWSServerBounds(), now: start)
        deadlines.headArrived(now: start)
        deadlines.requestArrived()
        deadlines.bytesArrived(now: at(1))
        deadlines.responseStarted(now: at(2))
        deadlines.responseEnded(now: at(3))
        #expect(deadlines.deadline == at(13))
    }

    @Test func aConnectionWithStreamsIsIdleOnceTheyHaveEnded() {
        var deadlines = ConnectionDeadlines(bounds: AWSServerBounds(), now: start)
        deadlines.streamOpened()
        #expect(deadlines.deadline == nil)
        deadlines.streamsEnded(now: at(100))
        #expect(deadlines.deadline == at(160))
    }

    @Test func aRefusedClientIsDrainedAndNoLonger() {
        var deadlines = ConnectionDeadlines(bounds: AWSServerBounds(), now: start)
        deadlines.responseStarted(now: at(1))
        deadlines.refused(now: at(1))
        deadlines.bytesArrived(now: at(2))
        deadlines.responseEnded(now: at(2))
        #expect(deadlines.deadline == at(3))
    }
}

@Suite struct SlowClientTests {
    private var hasty: AWSServerBounds {
        var bounds = AWSServerBounds()
        // Time enough for a client on a busy machine to say what it has to say.
        bounds.headerDeadline = .seconds(2)
        bounds.idleDeadline = .milliseconds(400)
        return bounds
    }

    @Test(arguments: [
        "", "POST / HTTP/1.1\r\nHost: h\r\nX-Slow: ", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
    ])
    func whoSendsNoWholeRequestIsClosedWithoutAnAnswer(text: String) async throws {
        let answer = try await TestServer.with(bounds: hasty, handler: TestServer.length) { port in
            try await RawConnection.exchange(port: port, text)
        }
        #expect(answer.isEmpty || answer == "<reset>")
    }

    @Test func anIdleConnectionIsClosedAfterItsAnswer() async throws {
        var bounds = hasty
        bounds.headerDeadline = .seconds(60)
        let answer = try await TestServer.with(bounds: bounds, handler: TestServer.length) { port in
            try await RawConnection.exchange(port: port, "POST / HTTP/1.1\r\nHost: h\r\n\r\n")
        }
        #expect(answer.hasSuffix(#"{"Length":0}"#))
    }

    /// With room for three: a fourth closes the one that has been without a request for longest, and no other.
    @Test(arguments: [(2, 2), (3, 3), (4, 3)])
    func connectionsAreBounded(count: Int, survivors: Int) async throws {
        var bounds = AWSServerBounds()
        bounds.connections = 3
        let request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"
        let answered = try await TestServer.with(bounds: bounds, handler: TestServer.length) { port in
            try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                let again = Signal()
                for index in 0..<count {
                    let first = Signal()
                    group.addTask {
                        try await RawConnection.with(port: port) { connection in
                            try await connection.send(request)
                            var answers = 0
                            _ = await connection.readToEnd { text in
                                guard text.hasSuffix("}") else { return }
                                answers = text.split(separator: "HTTP/1.1 200", omittingEmptySubsequences: false).count - 1
                                guard answers == 1 else { throw CancellationError() }
                                await first.open()
                                await again.wait()
                                try await connection.send(request)
                            }
                            return (index, answers)
                        }
                    }
                    // One after the other, so that it is known who has waited longest.
                    await first.wait()
                }
                await again.open()
                var answered: [Int: Int] = [:]
                for try await (index, answers) in group { answered[index] = answers }
                return answered
            }
        }
        #expect(answered.values.count { $0 == 2 } == survivors)
        if count > survivors { #expect(answered[0] == 1) }
    }

    /// Two hundred connections that send half a header, where sixty may be open: a working client is answered at
    /// once, again and again.
    @Test func slowClientsKeepNobodyOut() async throws {
        var bounds = AWSServerBounds()
        bounds.connections = 60
        try await TestServer.with(bounds: bounds, handler: TestServer.length) { port in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let arrived = Counter()
                for _ in 0..<200 {
                    group.addTask {
                        let ended = try? await RawConnection.with(port: port) { connection in
                            try? await connection.send("POST / HTTP/1.1\r\nX-Slow: ")
                            await arrived.count()
                            return await connection.readToEnd()
                        }
                        // One whose connection did not come about must not be waited for; one too many does no harm.
                        if ended == nil { await arrived.count() }
                    }
                }
                await arrived.wait(for: 200)
                for _ in 0..<50 {
                    let answer = try await RawConnection.exchange(
                        port: port, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx")
                    #expect(answer.hasSuffix(#"{"Length":1}"#))
                }
                group.cancelAll()
            }
        }
    }
}

private actor Counter {
    private var value = 0
    private var waiter: (Int, CheckedContinuation<Void, Never>)?

    func count() {
        value += 1
        if let (target, continuation) = waiter, value >= target {
            waiter = nil
            continuation.resume()
        }
    }

    func wait(for target: Int) async {
        if value >= target { return }
        await withCheckedContinuation { waiter = (target, $0) }
    }
}
