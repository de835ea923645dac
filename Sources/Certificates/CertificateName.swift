import Glibc

/// A name by which a server is reached: of DNS, or an address.
package enum CertificateName: Sendable, Hashable, CustomStringConvertible {
    case dns(String)
    /// 4 or 16 bytes.
    case address([UInt8])

    package static let maximumBytes = 253

    /// Throws `.input` for what is neither.
    package init(_ text: String) throws(CertificatesError) {
        if let bytes = Self.bytes(text, AF_INET, 4) ?? Self.bytes(text, AF_INET6, 16) {
            self = .address(bytes)
            return
        }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.maximumBytes, !labels.isEmpty,
            labels.enumerated().allSatisfy({ Self.isLabel($1) || ($0 == 0 && $1 == "*" && labels.count > 2) })
        else { throw CertificatesError(.input, "\"\(text)\" is neither a name of DNS nor an address") }
        self = .dns(text.lowercased())
    }

    package var description: String {
        switch self {
        case .dns(let name): name
        case .address(let bytes): Self.text(bytes) ?? "\(bytes)"
        }
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
            && label.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }

    private static func bytes(_ text: String, _ family: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }

    private static func text(_ bytes: [UInt8]) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard bytes.count == 4 || bytes.count == 16,
            inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &buffer, socklen_t(buffer.count)) != nil
        else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
