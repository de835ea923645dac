import Crypto

package import struct FoundationEssentials.Date

/// One-time codes of a seed and the time: RFC 6238 with SHA-1, 30 seconds and 6 digits, as authenticator apps have it.
package enum TOTP {
    package static let stepSeconds = 30.0
    package static let digits = 6
    /// As AWS's virtual devices: 64 characters of base32.
    package static let seedBytes = 40

    /// The time step that holds a moment.
    package static func step(at time: Date) -> Int64 { Int64((time.timeIntervalSince1970 / stepSeconds).rounded(.down)) }

    package static func code(seed: UnsafeRawBufferPointer, step: Int64) -> String {
        let counter = withUnsafeBytes(of: step.bigEndian) { Array($0) }
        var mac = HMAC<Insecure.SHA1>(key: SymmetricKey(data: seed))
        mac.update(data: counter)
        let hash = Array(mac.finalize())
        // RFC 4226, 5.3: the last four bits say where 31 bits are taken.
        let offset = Int(hash[hash.count - 1] & 0x0F)
        let number = hash[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let text = String(number % 1_000_000)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }
}
