/// Reads decimal numbers, correctly rounded to the nearest double.
///
/// Grammar: `[+-] (digits [. digits] | . digits) [e [+-] digits]`; nothing else (no hexadecimal, no `inf`, no spaces).
enum NumberParser {
    enum Result {
        case value(Double)
        case notANumber
        /// The grammar holds, the value overflows.
        case notFinite
    }

    private static let exactMantissaLimit: UInt64 = 1 << 53
    private static let exactPowerLimit = 22
    private static let tablePowerLimit = 27

    @inline(__always)
    static func parse(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Result {
        var p = start
        guard p < end else { return .notANumber }
        let isNegative = p.pointee == UInt8(ascii: "-")
        if isNegative || p.pointee == UInt8(ascii: "+") { p += 1 }
        var mantissa: UInt64 = 0
        var exponent = 0
        let digitsStart = p
        while p < end, p.pointee &- 48 < 10 {
            mantissa = mantissa &* 10 &+ UInt64(p.pointee &- 48)
            p += 1
        }
        var digits = p - digitsStart
        if p < end, p.pointee == UInt8(ascii: ".") {
            p += 1
            let fractionStart = p
            while p < end, p.pointee &- 48 < 10 {
                mantissa = mantissa &* 10 &+ UInt64(p.pointee &- 48)
                p += 1
            }
            exponent = fractionStart - p
            digits += p - fractionStart
        }
        guard digits > 0 else { return .notANumber }
        if p < end {
            guard let power = power(&p, end) else { return .notANumber }
            exponent += power
        }
        guard digits <= 19 else { return fallback(start, end) }
        if mantissa < exactMantissaLimit, abs(exponent) <= exactPowerLimit {
            let magnitude =
                exponent < 0 ? Double(mantissa) / powersOfTen[-exponent] : Double(mantissa) * powersOfTen[exponent]
            return .value(isNegative ? -magnitude : magnitude)
        }
        guard abs(exponent) <= tablePowerLimit else { return fallback(start, end) }
        let magnitude = exponent < 0 ? divide(mantissa, -exponent) : multiply(mantissa, exponent)
        return .value(isNegative ? -magnitude : magnitude)
    }

    /// The exponent part; nil where something else stands there. Bounded, so that `1e999999999999` cannot overflow it.
    private static func power(_ p: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int? {
        guard p.pointee | 0x20 == UInt8(ascii: "e") else { return nil }
        p += 1
        guard p < end else { return nil }
        let isNegative = p.pointee == UInt8(ascii: "-")
        if isNegative || p.pointee == UInt8(ascii: "+") { p += 1 }
        guard p < end else { return nil }
        var power = 0
        while p < end {
            let digit = p.pointee &- 48
            guard digit < 10 else { return nil }
            power = min(power * 10 + Int(digit), 1_000_000)
            p += 1
        }
        return isNegative ? -power : power
    }

    /// mantissa / 10^power by one 128-bit division; the remainder tells on which side of a half the value lies.
    private static func divide(_ mantissa: UInt64, _ power: Int) -> Double {
        guard mantissa != 0 else { return 0 }
        let divisor = powersOfFive[power]
        let mantissaShift = mantissa.leadingZeroBitCount
        let divisorShift = divisor.leadingZeroBitCount
        let dividend = mantissa << UInt64(mantissaShift)
        let (quotient, remainder) = (divisor << UInt64(divisorShift)).dividingFullWidth((dividend >> 1, dividend << 63))
        let sticky: UInt64 = remainder == 0 ? 0 : 1
        return scaled(quotient | sticky, by: divisorShift - mantissaShift - power - 63)
    }

    private static func multiply(_ mantissa: UInt64, _ power: Int) -> Double {
        guard mantissa != 0 else { return 0 }
        let (high, low) = mantissa.multipliedFullWidth(by: powersOfFive[power])
        guard high != 0 else { return scaled(low, by: power) }
        let shift = UInt64(high.leadingZeroBitCount)
        let top = shift == 0 ? high : high << shift | low >> (64 - shift)
        let sticky: UInt64 = (low << shift) == 0 ? 0 : 1
        return scaled(top | sticky, by: 64 - Int(shift) + power)
    }

    private static func scaled(_ significand: UInt64, by exponent: Int) -> Double {
        Double(sign: .plus, exponent: exponent, significand: Double(significand))
    }

    /// For long mantissas and large exponents, which real files hardly have.
    private static func fallback(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Result {
        let text = String(decoding: UnsafeBufferPointer(start: start, count: end - start), as: UTF8.self)
        guard let value = Double(text) else { return .notANumber }
        return value.isFinite ? .value(value) : .notFinite
    }

    private static let powersOfTen: [Double] = (0...exactPowerLimit).map { power in
        (0..<power).reduce(1.0) { product, _ in product * 10 }
    }
    private static let powersOfFive: [UInt64] = (0...tablePowerLimit).map { power in
        (0..<power).reduce(1) { product, _ in product * 5 }
    }
}
