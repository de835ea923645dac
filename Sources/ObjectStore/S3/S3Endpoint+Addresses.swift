import AWSClients
import Glibc

extension S3Endpoint {
    /// Throws `.refused` where the endpoint's name leads to a link-local or metadata address. An address that the operator wrote
    /// down as the endpoint itself is meant. What a name leads to later is TLS's matter: off this machine no server without
    /// the name's certificate is spoken to.
    package func refuseLinkLocal(pool: BlockingPool = .shared) async throws {
        guard !LinkLocal.isAddress(hostName) else { return }
        let addresses = try await pool.run { [hostName] in try LinkLocal.addresses(of: hostName) }
        guard !addresses.contains(where: LinkLocal.contains) else {
            throw ObjectStoreError(.refused, "the endpoint \(hostName) leads to a link-local address")
        }
    }
}

/// Addresses that belong to the machine's own link, where clouds put their metadata services.
package enum LinkLocal {
    static func isAddress(_ text: String) -> Bool {
        var buffer = in6_addr()
        return inet_pton(AF_INET, text, &buffer) == 1 || inet_pton(AF_INET6, text, &buffer) == 1
    }

    /// `169.254.0.0/16`, `fe80::/10`, both also as IPv4 in IPv6, and the address of EC2's metadata service in IPv6.
    package static func contains(_ address: String) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, address, &bytes) == 1 { return bytes[0] == 169 && bytes[1] == 254 }
        guard inet_pton(AF_INET6, address, &bytes) == 1 else { return false }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        if isMapped { return bytes[12] == 169 && bytes[13] == 254 }
        let metadata: [UInt8] = [0xFD, 0, 0x0E, 0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54]
        return (bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80) || bytes == metadata
    }

    /// Blocks.
    static func addresses(of name: String) throws -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &first) == 0 else {
            throw ObjectStoreError(.unavailable, "the endpoint \(name) has no address")
        }
        defer { freeaddrinfo(first) }
        var found: [String] = []
        var next = first
        while let entry = next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
            {
                // Without the scope behind a link-local address of IPv6.
                found.append(
                    String(decoding: text.prefix { $0 != 0 && $0 != CChar(UInt8(ascii: "%")) }.map(UInt8.init), as: UTF8.self))
            }
            next = entry.pointee.ai_next
        }
        return found
    }
}
