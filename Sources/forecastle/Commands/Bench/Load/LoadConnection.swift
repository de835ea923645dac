import Foundation
import Glibc

/// One connection of a load: at most one request on its way. Not blocking; driven by `LoadGenerator`.
final class LoadConnection {
    private(set) var descriptor: Int32 = -1
    private let port: Int
    private var output: [UInt8] = []
    private var sent = 0
    private var input: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 16 << 10)
    private(set) var sentAt: UInt64 = 0
    private(set) var isWaiting = false
    var script: any LoadScript

    init(port: Int, script: any LoadScript) {
        self.port = port
        self.script = script
    }

    deinit { disconnect() }

    var hasOutput: Bool { sent < output.count }

    func send(_ bytes: [UInt8]) throws {
        if descriptor < 0 { try connect() }
        (output, sent, isWaiting) = (bytes, 0, true)
        sentAt = DispatchTime.now().uptimeNanoseconds
        try write()
    }

    func write() throws {
        while hasOutput {
            let count = output.withUnsafeBytes { bytes in
                Glibc.send(descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EAGAIN || errno == EINTR { return }
                throw failure("send")
            }
            sent += count
        }
    }

    /// The answer, once it is whole. A server that closes after each answer is connected to again.
    func read() throws -> LoadAnswer? {
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN { break }
                throw failure("recv")
            }
            guard count > 0 else {
                guard isWaiting else {
                    disconnect()
                    return nil
                }
                throw CommandFailure("The server closed a connection before its answer.", MessageExit.inputOutput)
            }
            input += buffer[..<count]
            if count < buffer.count { break }
        }
        return try parse()
    }

    private func parse() throws -> LoadAnswer? {
        guard let end = Self.headEnd(input) else { return nil }
        let lines = String(decoding: input[..<end], as: UTF8.self).split(separator: "\r\n")
        let status = lines.first.flatMap { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
        var length = 0
        var closes = lines.first?.hasPrefix("HTTP/1.0") ?? false
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            guard parts.count == 2 else { continue }
            switch parts[0].lowercased() {
            case "content-length": length = Int(parts[1]) ?? 0
            case "connection": closes = parts[1].lowercased() == "close"
            default: break
            }
        }
        guard let status else { throw CommandFailure("An answer is no HTTP.", MessageExit.inputOutput) }
        guard input.count >= end + 4 + length else { return nil }
        let answer = LoadAnswer(status: status, body: Array(input[(end + 4)..<(end + 4 + length)]))
        input.removeAll(keepingCapacity: true)
        isWaiting = false
        if closes { disconnect() }
        return answer
    }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (0...(bytes.count - 4)).first {
            bytes[$0] == 13 && bytes[$0 + 1] == 10 && bytes[$0 + 2] == 13 && bytes[$0 + 3] == 10
        }
    }

    private func connect() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0, LoopbackPort.connect(descriptor, to: port) else { throw failure("connect") }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        guard fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) >= 0 else { throw failure("fcntl") }
        input.removeAll(keepingCapacity: true)
    }

    private func disconnect() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    private func failure(_ call: String) -> CommandFailure {
        CommandFailure("\(call) to port \(port) failed: \(String(cString: strerror(errno))).", MessageExit.inputOutput)
    }
}
