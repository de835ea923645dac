#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// An IPv4 or IPv6 network such as `203.0.113.0/24`; a bare address is the network of that address alone.
///
/// An IPv4 address inside IPv6 (`::ffff:203.0.113.7`) counts as the IPv4 address, which is how a dual-stack socket reports
/// its peer.
struct IPNetwork: Sendable, Hashable {
    /// 4 or 16 bytes.
    private let address: [UInt8]
    private let prefixBits: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let bytes = Self.bytes(of: String(parts[0])) else { return nil }
        var bits = bytes.count * 8
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...bits).contains(given), parts[1].utf8.allSatisfy({ $0 != 0x2B }) else {
                return nil
            }
            bits = given
        }
        address = bytes
        prefixBits = bits
    }

    /// Whether a text is one address, without a prefix.
    static func isAddress(_ text: String) -> Bool { bytes(of: text) != nil }

    func contains(_ text: String) -> Bool {
        guard let other = Self.bytes(of: text), other.count == address.count else { return false }
        let wholeBytes = prefixBits / 8
        guard other[..<wholeBytes] == address[..<wholeBytes] else { return false }
        let restBits = prefixBits % 8
        guard restBits > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> restBits)
        return other[wholeBytes] & mask == address[wholeBytes] & mask
    }

    private static func bytes(of text: String) -> [UInt8]? {
        guard !text.utf8.contains(0) else { return nil }
        var four = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &four) == 1 { return four }
        var sixteen = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, text, &sixteen) == 1 else { return nil }
        let isMapped = sixteen[..<10].allSatisfy { $0 == 0 } && sixteen[10] == 0xFF && sixteen[11] == 0xFF
        return isMapped ? Array(sixteen[12...]) : sixteen
    }
}
