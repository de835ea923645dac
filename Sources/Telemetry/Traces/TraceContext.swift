/// Where in a trace this work stands: W3C Trace Context, level 1, `traceparent` alone.
///
/// Anybody may have written it. It goes into logs and to whoever is called next, and decides nothing.
package struct TraceContext: Sendable, Hashable {
    package static let headerName = "traceparent"
    /// Of version 00: `00-<32>-<16>-<2>`.
    package static let textBytes = 55

    private let high: UInt64
    private let low: UInt64
    private let span: UInt64
    private let flags: UInt8

    /// What the work of this task belongs to.
    @TaskLocal package static var current: TraceContext?

    /// A new trace. It is not sampled: its ids are in every line that is logged, and no line is logged for its sake.
    package init() {
        var generator = SystemRandomNumberGenerator()
        self.init(
            high: generator.next(), low: Self.nonZero(&generator), span: Self.nonZero(&generator), flags: 0)
    }

    private init(high: UInt64, low: UInt64, span: UInt64, flags: UInt8) {
        self.high = high
        self.low = low
        self.span = span
        self.flags = flags
    }

    /// Strictly version 00: lower-case digits, nothing behind the flags, no id of zeros. Nil for anything else.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == Self.textBytes, bytes[0..<3].elementsEqual("00-".utf8), bytes[35] == 0x2D, bytes[52] == 0x2D,
            let high = Self.number(bytes[3..<19]), let low = Self.number(bytes[19..<35]), high != 0 || low != 0,
            let span = Self.number(bytes[36..<52]), span != 0, let flags = Self.number(bytes[53..<55])
        else { return nil }
        // Of the flags only "sampled" is defined; the others must be sent on as 0.
        self.init(high: high, low: low, span: span, flags: UInt8(flags) & 1)
    }

    /// What a request continues: a child of its one header where that is well-formed.
    package init?(headers: [String]) {
        guard headers.count == 1, let parent = TraceContext(headers[0]) else { return nil }
        self = parent.child()
    }

    /// The same trace, one step further down.
    package func child() -> TraceContext {
        var generator = SystemRandomNumberGenerator()
        return TraceContext(high: high, low: low, span: Self.nonZero(&generator), flags: flags)
    }

    /// Who began the trace wants to see it: then every step of it is logged.
    package var isSampled: Bool { flags & 1 == 1 }
    package var traceID: String { Self.hex(high, digits: 16) + Self.hex(low, digits: 16) }
    package var spanID: String { Self.hex(span, digits: 16) }
    /// The header's value.
    package var text: String { "00-\(traceID)-\(spanID)-\(Self.hex(UInt64(flags), digits: 2))" }

    private static func nonZero(_ generator: inout SystemRandomNumberGenerator) -> UInt64 {
        UInt64.random(in: 1...UInt64.max, using: &generator)
    }

    private static func hex(_ number: UInt64, digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    /// `UInt64(_:radix:)` takes capitals and signs.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for digit in digits {
            switch digit {
            case 0x30...0x39: number = number << 4 | UInt64(digit - 0x30)
            case 0x61...0x66: number = number << 4 | UInt64(digit - 0x57)
            default: return nil
            }
        }
        return number
    }
}
