/// Where each field of a message lies, read by the format's table and by nothing of the module's own, so that tests can say
/// what they alter. For genuine messages only: traps on others.
struct MessageFields {
    struct Field {
        let name: String
        let bytes: Range<Int>
    }

    private(set) var fields: [Field] = []
    /// Frames in order; one range for an unframed body.
    private(set) var frames: [Range<Int>] = []
    private let message: [UInt8]
    private var position = 0

    private static let signedSuites: Set<Int> = [0x0214, 0x0346, 0x0378, 0x0578]

    init(_ message: [UInt8]) {
        self.message = message
        let version = take("version", 1)
        if version == 1 { take("type", 1) }
        let suite = take("suite", 2)
        take("message id", version == 1 ? 16 : 32)
        readContext()
        readDataKeys()
        let contentType = take("content type", 1)
        if version == 1 {
            take("reserved", 4)
            take("IV length", 1)
        }
        let frameBytes = take("frame length", 4)
        take(version == 1 ? "header IV" : "commitment", version == 1 ? 12 : 32)
        take("header tag", 16)
        if contentType == 2 { readFrames(frameBytes) } else { readUnframed() }
        if Self.signedSuites.contains(suite) { take("signature", take("signature length", 2)) }
        precondition(position == message.count, "The fields are not all of the message.")
    }

    /// The number in the field, as far as it is one.
    @discardableResult
    private mutating func take(_ name: String, _ count: Int) -> Int {
        let range = position..<position + count
        position += count
        if !range.isEmpty { fields.append(Field(name: name, bytes: range)) }
        return count <= 8 ? message[range].reduce(0) { $0 << 8 | Int($1) } : 0
    }

    private func peek(_ count: Int) -> Int { message[position..<position + count].reduce(0) { $0 << 8 | Int($1) } }

    private mutating func readContext() {
        guard take("context length", 2) > 0 else { return }
        for _ in 0..<take("context count", 2) {
            for part in ["name", "value"] { take("context \(part)", take("context \(part) length", 2)) }
        }
    }

    private mutating func readDataKeys() {
        for _ in 0..<take("data key count", 2) {
            for part in ["provider", "info", "ciphertext"] { take("data key \(part)", take("data key \(part) length", 2)) }
        }
    }

    private mutating func readFrames(_ frameBytes: Int) {
        while true {
            let start = position
            let isFinal = peek(4) == 0xFFFF_FFFF
            if isFinal { take("final mark", 4) }
            take("sequence number", 4)
            take("frame IV", 12)
            take("frame content", isFinal ? take("final length", 4) : frameBytes)
            take("frame tag", 16)
            frames.append(start..<position)
            if isFinal { return }
        }
    }

    private mutating func readUnframed() {
        let start = position
        take("content IV", 12)
        take("content", take("content length", 8))
        take("content tag", 16)
        frames.append(start..<position)
    }

    var headerBytes: Int { frames[0].lowerBound }
    var bodyEnd: Int { frames[frames.count - 1].upperBound }

    /// The message with other frames between its header and its footer.
    func with(frames others: [[UInt8]]) -> [UInt8] {
        message[..<headerBytes] + others.flatMap { $0 } + message[bodyEnd...]
    }

    func frame(_ index: Int) -> [UInt8] { Array(message[frames[index]]) }

    /// The message with `number`, big-endian, in place of the field.
    func with(_ number: UInt64, in field: Field) -> [UInt8] {
        var message = message
        for (offset, index) in field.bytes.reversed().enumerated() {
            message[index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * offset))
        }
        return message
    }

    func all(_ name: String) -> [Field] { fields.filter { $0.name == name } }
}
