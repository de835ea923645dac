/// A QR code of a text: byte mode, error correction level M, versions 1 to 15 (ISO/IEC 18004).
package struct QRCode: Sendable {
    /// By version, from 1: error correction bytes of a block, and blocks.
    private static let correctionBytes = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24]
    private static let blocks = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10]
    package static let maximumVersion = 15

    package private(set) var version: Int
    /// Modules of a side.
    package private(set) var size: Int
    private var dark: [Bool]
    /// Modules with a fixed meaning, which masks and data leave alone.
    private var fixed: [Bool]

    /// Nil for a text that is too long.
    ///
    /// - Parameter mask: one of the eight, for tests; else the one that is easiest to read.
    package init?(_ text: String, mask: Int? = nil) {
        let bytes = Array(text.utf8)
        guard let version = (1...Self.maximumVersion).first(where: { Self.capacity(of: $0) >= bytes.count }) else { return nil }
        self.version = version
        size = version * 4 + 17
        dark = Array(repeating: false, count: size * size)
        fixed = dark
        drawFixedPatterns()
        draw(Self.codewords(bytes, version: version))
        let chosen =
            mask
            ?? (0..<8).min { first, second in masked(first).penalty < masked(second).penalty }
            ?? 0
        self = masked(chosen)
    }

    /// False outside the code.
    package func isDark(x: Int, y: Int) -> Bool {
        (0..<size).contains(x) && (0..<size).contains(y) && dark[y * size + x]
    }

    // MARK: Data

    private static func dataBytes(of version: Int) -> Int {
        moduleBytes(of: version) - correctionBytes[version - 1] * blocks[version - 1]
    }

    /// Bytes of text: mode and length take 12 bits, 20 from version 10.
    private static func capacity(of version: Int) -> Int { (dataBytes(of: version) * 8 - (version < 10 ? 12 : 20)) / 8 }

    /// Bytes that fit the modules without a fixed meaning.
    private static func moduleBytes(of version: Int) -> Int {
        var modules = (16 * version + 128) * version + 64
        if version >= 2 {
            let alignments = version / 7 + 2
            modules -= (25 * alignments - 10) * alignments - 55
            if version >= 7 { modules -= 36 }
        }
        return modules / 8
    }

    /// Data in blocks, each with its correction, one byte of each block in turn.
    private static func codewords(_ text: [UInt8], version: Int) -> [UInt8] {
        let data = padded(text, version: version)
        let count = blocks[version - 1]
        let correction = correctionBytes[version - 1]
        let generator = ReedSolomon.generator(degree: correction)
        // Blocks at the end have a byte more where they do not divide evenly.
        let short = data.count / count
        let longBlocks = data.count % count
        var parts: [[UInt8]] = []
        var start = 0
        for block in 0..<count {
            let end = start + short + (block >= count - longBlocks ? 1 : 0)
            parts.append(Array(data[start..<end]))
            start = end
        }
        let corrections = parts.map { ReedSolomon.remainder(of: $0, generator: generator) }
        return (0...short).flatMap { index in parts.compactMap { index < $0.count ? $0[index] : nil } }
            + (0..<correction).flatMap { index in corrections.map { $0[index] } }
    }

    private static func padded(_ text: [UInt8], version: Int) -> [UInt8] {
        var bits: [Bool] = []
        func append(_ value: Int, _ length: Int) {
            for bit in (0..<length).reversed() { bits.append(value >> bit & 1 == 1) }
        }
        append(0b0100, 4)
        append(text.count, version < 10 ? 8 : 16)
        for byte in text { append(Int(byte), 8) }
        let capacity = dataBytes(of: version) * 8
        append(0, min(4, capacity - bits.count))
        append(0, (8 - bits.count % 8) % 8)
        for pad in [0xEC, 0x11].cycled(count: (capacity - bits.count) / 8) { append(pad, 8) }
        return stride(from: 0, to: bits.count, by: 8).map { start in
            bits[start..<start + 8].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) }
        }
    }

    // MARK: Drawing

    private mutating func set(_ x: Int, _ y: Int, _ isDark: Bool) {
        guard (0..<size).contains(x), (0..<size).contains(y) else { return }
        dark[y * size + x] = isDark
        fixed[y * size + x] = true
    }

    private mutating func drawFixedPatterns() {
        for index in 0..<size {
            set(6, index, index.isMultiple(of: 2))
            set(index, 6, index.isMultiple(of: 2))
        }
        for (x, y) in [(3, 3), (size - 4, 3), (3, size - 4)] {
            for dy in -4...4 {
                for dx in -4...4 {
                    let distance = max(abs(dx), abs(dy))
                    set(x + dx, y + dy, distance != 2 && distance != 4)
                }
            }
        }
        let positions = alignmentPositions
        for (row, y) in positions.enumerated() {
            for (column, x) in positions.enumerated() {
                let last = positions.count - 1
                if [(0, 0), (0, last), (last, 0)].contains(where: { $0 == (row, column) }) { continue }
                for dy in -2...2 { for dx in -2...2 { set(x + dx, y + dy, max(abs(dx), abs(dy)) != 1) } }
            }
        }
        drawFormat(mask: 0)
        if version >= 7 { drawVersion() }
    }

    private var alignmentPositions: [Int] {
        guard version > 1 else { return [] }
        let count = version / 7 + 2
        let step = (version * 4 + count * 2 + 1) / (count * 2 - 2) * 2
        return [6] + (0..<count - 1).map { size - 7 - $0 * step }.reversed()
    }

    /// Level and mask with their correction, twice.
    private mutating func drawFormat(mask: Int) {
        // Level M is 0.
        var remainder = mask
        for _ in 0..<10 { remainder = remainder << 1 ^ (remainder >> 9) * 0x537 }
        let bits = (mask << 10 | remainder) ^ 0x5412
        let bit = { (index: Int) in bits >> index & 1 == 1 }
        for index in 0...5 { set(8, index, bit(index)) }
        set(8, 7, bit(6))
        set(8, 8, bit(7))
        set(7, 8, bit(8))
        for index in 9..<15 { set(14 - index, 8, bit(index)) }
        for index in 0..<8 { set(size - 1 - index, 8, bit(index)) }
        for index in 8..<15 { set(8, size - 15 + index, bit(index)) }
        set(8, size - 8, true)
    }

    private mutating func drawVersion() {
        var remainder = version
        for _ in 0..<12 { remainder = remainder << 1 ^ (remainder >> 11) * 0x1F25 }
        let bits = version << 12 | remainder
        for index in 0..<18 {
            let (a, b) = (size - 11 + index % 3, index / 3)
            set(a, b, bits >> index & 1 == 1)
            set(b, a, bits >> index & 1 == 1)
        }
    }

    /// In columns of two, from the right, up and down in turn.
    private mutating func draw(_ codewords: [UInt8]) {
        var index = 0
        for right in [Array(stride(from: size - 1, through: 8, by: -2)), [5, 3, 1]].joined() {
            let isUpward = (right + 1) & 2 == 0
            for step in 0..<size {
                for x in [right, right - 1] {
                    let y = isUpward ? size - 1 - step : step
                    guard !fixed[y * size + x], index < codewords.count * 8 else { continue }
                    dark[y * size + x] = codewords[index / 8] >> UInt8(7 - index % 8) & 1 == 1
                    index += 1
                }
            }
        }
    }

    // MARK: Masks

    private func masked(_ mask: Int) -> QRCode {
        var code = self
        for y in 0..<size {
            for x in 0..<size where !fixed[y * size + x] && Self.inverts(mask, x, y) {
                code.dark[y * size + x].toggle()
            }
        }
        code.drawFormat(mask: mask)
        return code
    }

    private static func inverts(_ mask: Int, _ x: Int, _ y: Int) -> Bool {
        switch mask {
        case 0: (x + y) % 2 == 0
        case 1: y % 2 == 0
        case 2: x % 3 == 0
        case 3: (x + y) % 3 == 0
        case 4: (x / 3 + y / 2) % 2 == 0
        case 5: x * y % 2 + x * y % 3 == 0
        case 6: (x * y % 2 + x * y % 3) % 2 == 0
        default: ((x + y) % 2 + x * y % 3) % 2 == 0
        }
    }

    /// How hard the code is to read: runs of one colour, and how far from half of it is dark.
    private var penalty: Int {
        var penalty = 0
        for line in 0..<size {
            for isRow in [true, false] {
                var run = 0
                var last: Bool?
                for position in 0..<size {
                    let module = isRow ? dark[line * size + position] : dark[position * size + line]
                    run = module == last ? run + 1 : 1
                    last = module
                    if run == 5 { penalty += 3 } else if run > 5 { penalty += 1 }
                }
            }
        }
        let share = dark.count { $0 } * 20 / dark.count
        return penalty + abs(share - 10) * 10
    }
}

extension [Int] {
    /// The first `count` elements of the endless repetition.
    fileprivate func cycled(count wanted: Int) -> [Int] { (0..<wanted).map { self[$0 % count] } }
}
