import Foundation
import Glibc

/// Keeps a number of connections busy for some time, each with one request after the other, and measures how long the
/// answers take. One thread, which waits with `poll`: it costs little beside what it measures.
struct LoadGenerator: Sendable {
    struct Outcome: Sendable {
        let wallSeconds: Double
        /// In ascending order.
        let latencies: [Double]

        func figures(databaseCPUSeconds: Double? = nil) -> RequestFigures {
            RequestFigures(
                count: latencies.count, p50Seconds: quantile(0.5), p99Seconds: quantile(0.99),
                databaseCPUSeconds: databaseCPUSeconds)
        }

        private func quantile(_ part: Double) -> Double {
            latencies.isEmpty ? .nan : latencies[min(latencies.count - 1, Int(part * Double(latencies.count)))]
        }
    }

    let port: Int
    let signer: LoadSigner

    /// Part of the time before it that warms up and is not counted.
    private static let leadPart = 0.1
    /// Answers that take longer are none.
    private static let answerSeconds = 10.0

    /// Runs on a thread of its own. `measured` is called when counting begins and when it ends; its last value is the
    /// difference that the caller wants (CPU time).
    func run(
        connections: Int, seconds: Double, script: @escaping @Sendable (_ connection: Int) -> any LoadScript,
        onWindow: @escaping @Sendable (_ isStart: Bool) -> Void = { _ in }
    ) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        try loop((0..<connections).map { LoadConnection(port: port, script: script($0)) }, seconds, onWindow)
                    })
            }
        }
    }

    /// One call, for preparing things.
    func call(_ call: LoadCall) async throws -> LoadAnswer {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let answer = try answer(to: call, on: LoadConnection(port: port, script: RepeatedCall(call: call)))
                        guard answer.status == 200 else { throw Self.refused(answer) }
                        return answer
                    })
            }
        }
    }

    /// Sends a call and waits for its answer, whatever it is; for loops that look at each.
    func answer(to call: LoadCall, on connection: LoadConnection) throws -> LoadAnswer {
        try connection.send(signer.request(call))
        let deadline = DispatchTime.now().uptimeNanoseconds + UInt64(Self.answerSeconds * 1e9)
        while DispatchTime.now().uptimeNanoseconds < deadline {
            var polled = pollfd(
                fd: connection.descriptor, events: Int16(POLLIN | (connection.hasOutput ? POLLOUT : 0)), revents: 0)
            guard poll(&polled, 1, 1000) > 0 else { continue }
            if Int32(polled.revents) & POLLOUT != 0 { try connection.write() }
            if let answer = try connection.read() { return answer }
        }
        throw CommandFailure("A call to port \(port) was not answered.", MessageExit.inputOutput)
    }

    private func loop(
        _ connections: [LoadConnection], _ seconds: Double, _ onWindow: (Bool) -> Void
    ) throws -> Outcome {
        var latencies: [Double] = []
        latencies.reserveCapacity(1 << 16)
        for connection in connections { try connection.send(signer.request(connection.script.next(after: nil))) }
        let begin = DispatchTime.now().uptimeNanoseconds
        let lead = UInt64(seconds * Self.leadPart * 1e9)
        let (start, stop) = (begin + lead, begin + lead + UInt64(seconds * 1e9))
        let patience = UInt64(Self.answerSeconds * 1e9)
        var isCounting = false
        var polled = [pollfd](repeating: pollfd(), count: connections.count)
        while true {
            var now = DispatchTime.now().uptimeNanoseconds
            if !isCounting, now >= start {
                isCounting = true
                onWindow(true)
            }
            // A stop of the whole machine may be longer than a short run: then until the first answer.
            if now >= stop, !latencies.isEmpty || now >= stop + patience { break }
            for (index, connection) in connections.enumerated() {
                polled[index] = pollfd(
                    fd: connection.descriptor, events: Int16(POLLIN | (connection.hasOutput ? POLLOUT : 0)), revents: 0)
            }
            guard poll(&polled, nfds_t(polled.count), 50) > 0 else {
                try checkForSilence(connections)
                continue
            }
            for (index, connection) in connections.enumerated() where polled[index].revents != 0 {
                if Int32(polled[index].revents) & POLLOUT != 0 { try connection.write() }
                guard let answer = try connection.read() else { continue }
                guard answer.status == 200 else { throw Self.refused(answer) }
                now = DispatchTime.now().uptimeNanoseconds
                if isCounting, now < stop || latencies.isEmpty { latencies.append(Double(now - connection.sentAt) / 1e9) }
                try connection.send(signer.request(connection.script.next(after: answer)))
            }
        }
        let end = DispatchTime.now().uptimeNanoseconds
        onWindow(false)
        try drain(connections)
        guard !latencies.isEmpty else {
            throw CommandFailure(
                "Not one call to port \(port) was answered within \(seconds + Self.answerSeconds) s.", MessageExit.inputOutput)
        }
        return Outcome(wallSeconds: Double(end - start) / 1e9, latencies: latencies.sorted())
    }

    /// Takes the last answers, so that the next run does not meet this one's rest.
    private func drain(_ connections: [LoadConnection]) throws {
        for connection in connections {
            while connection.isWaiting {
                var polled = pollfd(
                    fd: connection.descriptor, events: Int16(POLLIN | (connection.hasOutput ? POLLOUT : 0)), revents: 0)
                guard poll(&polled, 1, Int32(Self.answerSeconds * 1000)) > 0 else { return try checkForSilence(connections) }
                if Int32(polled.revents) & POLLOUT != 0 { try connection.write() }
                _ = try connection.read()
            }
        }
    }

    private func checkForSilence(_ connections: [LoadConnection]) throws {
        let now = DispatchTime.now().uptimeNanoseconds
        for connection in connections where connection.isWaiting {
            guard Double(now - connection.sentAt) / 1e9 < Self.answerSeconds else {
                throw CommandFailure("A call to port \(port) was not answered.", MessageExit.inputOutput)
            }
        }
    }

    private static func refused(_ answer: LoadAnswer) -> CommandFailure {
        CommandFailure("A call was answered with \(answer.status): \(answer.shown)", MessageExit.inputOutput)
    }
}
