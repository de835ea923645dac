import FoundationEssentials

/// Universally unique lexicographically sortable identifier: 48 bits of time, 80 bits of chance, 26 characters of
/// Crockford's base 32. ARNs of auto predictors end in one.
enum ULID {
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    static func make(now: Date = Date()) -> String {
        var generator = SystemRandomNumberGenerator()
        let milliseconds = UInt64(max(0, now.timeIntervalSince1970 * 1000)) & 0xFFFF_FFFF_FFFF
        var value = UInt128(milliseconds) << 80
        value |= UInt128(generator.next() & 0xFFFF) << 64
        value |= UInt128(generator.next())
        var characters: [UInt8] = []
        for position in (0..<26).reversed() {
            characters.append(alphabet[Int(truncatingIfNeeded: value >> UInt128(position * 5)) & 31])
        }
        return String(decoding: characters, as: UTF8.self)
    }
}
