import Testing
import TimeSeries

/// Numbers as import reads them, against the standard library's correctly rounded reading.
@Suite struct NumberTests {
    static func imported(_ texts: [String]) throws -> [Double] {
        let layout = try customLayout()
        let rows = texts.enumerated().map { index, text in
            let time = TimestampStyle.spaced.string(Int64(index) * 3600)
            return "a,\(time),\(text)\n"
        }
        let series = try assemble(importChunks(rows.joined(), layout: layout), layout: layout)
        return try #require(series.first).values
    }

    @Test func numbersAreRoundedCorrectly() throws {
        var texts = [
            "0", "-0", "1", "007", ".5", "5.", "+5", "1e3", "1E-3", "1.5e+3", "0.1", "0.3", "2.2250738585072014e-308", "5e-324",
            "1e-400",
            "1.7976931348623157e308", "9007199254740993", "9007199254740992.5", "18446744073709551615", "18446744073709551616",
            "123456789012345678901234567890", "0.000000000000000000000000000001", "38.34991708126038", "0.30000000000000004",
            "9999999999999999999", "0.00000000000000000000000012345", "1e22", "1e23", "8.5e22", "4503599627370496.5",
            "4503599627370497.5",
        ]
        var generator = SeededGenerator(state: 7)
        for _ in 0..<20_000 {
            texts.append("\(Double.random(in: -1000...1000, using: &generator))")
            let exponent = Int.random(in: -40...40, using: &generator)
            texts.append("\(UInt64.random(in: 0...UInt64.max, using: &generator))e\(exponent)")
            texts.append(
                "\(Int.random(in: 0...9999, using: &generator)).\(UInt64.random(in: 0...999_999_999_999_999, using: &generator))")
        }
        let values = try Self.imported(texts)
        #expect(values.count == texts.count)
        for (text, value) in zip(texts, values) {
            let expected = try #require(Double(text.hasSuffix(".") ? String(text.dropLast()) : text))
            #expect(value == expected, "\(text)")
        }
    }
}
