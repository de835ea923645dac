/// numeric_send: digit count, weight of the first digit, sign, display scale; then digits to the base of 10,000.
///
/// Read exactly, never through a floating-point number.
struct PostgresNumeric: CustomStringConvertible {
    private static let negativeSign: UInt16 = 0x4000
    private static let notANumber: UInt16 = 0xC000
    private static let positiveInfinity: UInt16 = 0xD000
    private static let negativeInfinity: UInt16 = 0xF000
    /// The widest numeric that a column can hold has 147,455 digits; what we read are counts, sums and times.
    private static let maximumDigitGroups = 256

    private let digits: [Int16]
    private let weight: Int
    private let sign: UInt16
    private let scale: Int

    init(_ cell: PostgresCell) throws {
        var reader = BinaryReader(cell.bytes)
        let count = Int(try reader.integer(Int16.self))
        weight = Int(try reader.integer(Int16.self))
        sign = try reader.integer(UInt16.self)
        scale = Int(try reader.integer(Int16.self))
        guard (0...Self.maximumDigitGroups).contains(count), abs(weight) <= Self.maximumDigitGroups,
            (0...4 * Self.maximumDigitGroups).contains(scale)
        else { throw PostgresDecodingFailure() }
        var digits: [Int16] = []
        for _ in 0..<count {
            let digit = try reader.integer(Int16.self)
            guard (0..<10_000).contains(digit) else { throw PostgresDecodingFailure() }
            digits.append(digit)
        }
        self.digits = digits
    }

    private func group(at position: Int) -> Int {
        digits.indices.contains(position) ? Int(digits[position]) : 0
    }

    /// The value where it is whole and fits.
    var integer: Int64? {
        guard sign == 0 || sign == Self.negativeSign else { return nil }
        guard digits.indices.allSatisfy({ $0 <= weight || digits[$0] == 0 }) else { return nil }
        var value: Int64 = 0
        for position in 0..<max(weight + 1, 0) {
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10_000)
            let digit = Int64(group(at: position))
            // Built downwards from zero when negative, so that Int64.min fits.
            let (sum, overflowToo) =
                sign == 0 ? scaled.addingReportingOverflow(digit) : scaled.subtractingReportingOverflow(digit)
            if overflow || overflowToo { return nil }
            value = sum
        }
        return value
    }

    var description: String {
        switch sign {
        case Self.notANumber: return "NaN"
        case Self.positiveInfinity: return "Infinity"
        case Self.negativeInfinity: return "-Infinity"
        default: break
        }
        func padded(_ digit: Int) -> String { String(String(10_000 + digit).dropFirst()) }
        var whole = ""
        for position in 0..<max(weight + 1, 0) { whole += padded(group(at: position)) }
        whole = String(whole.drop { $0 == "0" })
        var fraction = ""
        var position = weight + 1
        while fraction.count < scale {
            fraction += padded(position < 0 ? 0 : group(at: position))
            position += 1
        }
        let text = (whole.isEmpty ? "0" : whole) + (scale > 0 ? "." + fraction.prefix(scale) : "")
        return sign == Self.negativeSign ? "-" + text : text
    }
}
