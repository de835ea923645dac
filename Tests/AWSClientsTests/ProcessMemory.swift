import Glibc

/// Looks for bytes in all writable memory of this process.
enum ProcessMemory {
    /// How often the bytes occur whose inversion is given.
    static func occurrences(ofInverted inverted: [UInt8]) -> Int {
        let maps = text(ofFile: "/proc/self/maps")
        let memory = open("/proc/self/mem", O_RDONLY)
        guard memory >= 0 else { return -1 }
        defer { close(memory) }
        var count = 0
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer {
            piece.initializeMemory(as: UInt8.self, repeating: 0)
            piece.deallocate()
        }
        for line in maps.split(separator: "\n") where line.contains(" rw") {
            let bounds = line.prefix { $0 != " " }.split(separator: "-")
            guard bounds.count == 2, var start = UInt64(bounds[0], radix: 16), let end = UInt64(bounds[1], radix: 16) else {
                continue
            }
            while start < end {
                // Never the piece itself, which holds copies of what was read before.
                let own = UInt64(UInt(bitPattern: piece.baseAddress))
                if start + UInt64(piece.count) > own, start < own + UInt64(piece.count) {
                    if start < own {
                        count += occurrences(ofInverted: inverted, in: piece, fill(piece, memory, start, own - start))
                    }
                    start = own + UInt64(piece.count)
                    continue
                }
                let length = min(UInt64(piece.count), end - start)
                let filled = fill(piece, memory, start, length)
                count += occurrences(ofInverted: inverted, in: piece, filled)
                // Behind what another test unmapped meanwhile it goes on.
                start += filled > 0 ? UInt64(filled) : pageBytes
            }
        }
        return count
    }

    /// How often they occur in a part of it, which nobody unmaps meanwhile.
    static func occurrences(ofInverted inverted: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int {
        guard bytes.count >= inverted.count else { return 0 }
        return (0...(bytes.count - inverted.count)).count { start in
            zip(bytes[start...], inverted).allSatisfy { $0 == ~$1 }
        }
    }

    /// Read to its end: files of /proc have no length.
    private static func text(ofFile path: String) -> String {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = read(file, &piece, piece.count), count > 0 { text += piece[..<count] }
        return String(decoding: text, as: UTF8.self)
    }

    private static let pageBytes: UInt64 = 4096

    /// How many bytes could be read.
    private static func fill(_ piece: UnsafeMutableRawBufferPointer, _ memory: Int32, _ start: UInt64, _ length: UInt64) -> Int {
        pread(memory, piece.baseAddress, Int(length), off_t(start))
    }

    private static func occurrences(
        ofInverted inverted: [UInt8], in piece: UnsafeMutableRawBufferPointer, _ filled: Int
    ) -> Int {
        guard filled >= inverted.count else { return 0 }
        let first = ~inverted[0]
        var count = 0
        var position = 0
        while position <= filled - inverted.count {
            guard let found = memchr(piece.baseAddress! + position, Int32(first), filled - inverted.count + 1 - position) else {
                break
            }
            position = found - UnsafeMutableRawPointer(piece.baseAddress!)
            var index = 1
            while index < inverted.count, piece[position + index] == ~inverted[index] { index += 1 }
            if index == inverted.count { count += 1 }
            position += 1
        }
        return count
    }
}
