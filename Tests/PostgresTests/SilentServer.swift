import Glibc
import Postgres
import Testing

/// A TCP server on loopback that takes connections and never says a word: what a stopped server looks like.
final class SilentServer: Sendable {
    let descriptor: Int32
    private let port: UInt16

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) != 0 || listen(descriptor, 64) != 0
                    || getsockname(descriptor, address, &length) != 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        try #require(!failed, "No loopback port could be had.")
    }

    deinit { close(descriptor) }

    var configuration: PostgresConfiguration {
        PostgresConfiguration(connection: "host=127.0.0.1 port=\(port) user=u dbname=d sslmode=disable")
    }
}
