import AWSProtocol
import Foundation
import Glibc

/// The Unix socket through which people change the faults of a running cluster: a line of JSON in, a line of JSON out. It lies in
/// the cluster's folder and only the cluster's user may connect.
struct FaultControlSocket: Sendable {
    let path: String

    private static let lineBytesMax = 65_536
    private static let answerSeconds = 30

    init(folder: DataFolder) { path = folder.faults + "/control" }

    // MARK: Server

    /// Listens from now on, on a thread of its own, for as long as the process lives.
    func serve(_ control: FaultControl) throws {
        unlink(path)
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw failure("cannot be made") }
        // Before anybody can connect.
        let mask = umask(0o177)
        let isBound = try withAddress { bind(listener, $0, $1) } == 0
        umask(mask)
        guard isBound, listen(listener, 8) == 0 else {
            close(listener)
            throw failure("cannot be listened on")
        }
        let thread = Thread {
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else {
                    if errno == EINTR { continue }
                    return
                }
                Self.limit(connection)
                if let line = Self.readLine(connection) {
                    let answer: JSONObject
                    if let request = try? JSONValue.parse(line).objectValue {
                        answer = control.answer(request)
                    } else {
                        answer = ["error": "a request is an object of JSON in one line"]
                    }
                    Self.write(answer.serialized() + [UInt8(ascii: "\n")], to: connection)
                }
                close(connection)
            }
        }
        thread.name = "fault control"
        thread.start()
    }

    // MARK: Client

    /// Throws what the cluster says is wrong with the request.
    func ask(_ request: JSONObject) throws -> JSONObject {
        let connection = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard connection >= 0 else { throw failure("cannot be made") }
        defer { close(connection) }
        Self.limit(connection)
        guard try withAddress({ connect(connection, $0, $1) }) == 0 else {
            throw ChaosFailure(
                description: "no cluster listens at \(path): \(String(cString: strerror(errno))); "
                    + "it is started with forecastle up --fault-proxies")
        }
        Self.write(request.serialized() + [UInt8(ascii: "\n")], to: connection)
        guard let line = Self.readLine(connection), let answer = try? JSONValue.parse(line).objectValue else {
            throw failure("did not answer")
        }
        if let error = answer["error"]?.stringValue { throw ChaosFailure(description: error) }
        return answer
    }

    // MARK: Inside

    private static func limit(_ descriptor: Int32) {
        var time = timeval(tv_sec: answerSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    private static func readLine(_ descriptor: Int32) -> [UInt8]? {
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while line.count <= lineBytesMax {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            line += buffer[..<count]
            if let end = line.firstIndex(of: UInt8(ascii: "\n")) { return Array(line[..<end]) }
        }
        return nil
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw ChaosFailure(description: "\(path) is too long for a Unix socket; choose a shorter --data")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private func failure(_ what: String) -> ChaosFailure {
        ChaosFailure(description: "\(path) \(what): \(String(cString: strerror(errno)))")
    }
}
