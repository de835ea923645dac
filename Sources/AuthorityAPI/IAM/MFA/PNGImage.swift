/// Writes a QR code as a PNG image of black and white pixels, without compression: stored blocks of deflate (RFC 1950, 1951, 2083).
package enum PNGImage {
    package static let pixelsPerModule = 4
    /// Modules of white around the code, as the standard demands.
    package static let quietModules = 4
    private static let maximumStoredBytes = 65_535

    package static func encode(_ code: QRCode) -> [UInt8] {
        let side = (code.size + 2 * quietModules) * pixelsPerModule
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        // Bit depth 1, greyscale, the only compression, filter and order there are.
        file += chunk("IHDR", bigEndian(UInt32(side)) + bigEndian(UInt32(side)) + [1, 0, 0, 0, 0])
        file += chunk("IDAT", zlib(rows(of: code, side: side)))
        return file + chunk("IEND", [])
    }

    /// Each row of pixels behind a byte that says it is not filtered; a set bit is white.
    private static func rows(of code: QRCode, side: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for y in 0..<side {
            bytes.append(0)
            var row = [UInt8](repeating: 0, count: (side + 7) / 8)
            for x in 0..<side {
                let module = (x: x / pixelsPerModule - quietModules, y: y / pixelsPerModule - quietModules)
                if !code.isDark(x: module.x, y: module.y) { row[x / 8] |= 0x80 >> UInt8(x % 8) }
            }
            bytes += row
        }
        return bytes
    }

    private static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let end = min(start + maximumStoredBytes, bytes.count)
            let count = UInt16(end - start)
            stream.append(end == bytes.count ? 1 : 0)
            for value in [count, ~count] { stream += [UInt8(value & 0xFF), UInt8(value >> 8)] }
            stream += bytes[start..<end]
            start = end
        } while start < bytes.count
        return stream + bigEndian(adler32(bytes))
    }

    private static func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + content
        return bigEndian(UInt32(content.count)) + body + bigEndian(crc32(body))
    }

    private static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return b << 16 | a
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
}
