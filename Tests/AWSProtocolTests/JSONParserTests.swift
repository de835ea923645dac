import AWSProtocol
import Testing

@Suite struct JSONParserTests {
    private func code(_ text: String, limits: JSONLimits = .default) -> JSONError.Code? {
        do {
            _ = try JSONValue.parse(text, limits: limits)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func membersKeepTheirOrder() throws {
        let value = try JSONValue.parse(#" {"b": 1, "a": [true, false, null], "c": {"d": "e"}} "#)
        #expect(value.objectValue?.keys == ["b", "a", "c"])
        #expect(value.serializedString == #"{"b":1,"a":[true,false,null],"c":{"d":"e"}}"#)
        #expect(value == ["b": 1, "a": [true, false, nil], "c": ["d": "e"]])
    }

    @Test(arguments: [
        ("9223372036854775807", JSONValue.int(.max)), ("-9223372036854775808", .int(.min)), ("0", 0), ("-0", 0),
        ("1.5", 1.5), ("1e3", .double(1000)), ("1E-2", 0.01), ("-2.5e+1", -25.0), ("1e-400", .double(0)),
    ])
    func numbersAreRead(text: String, value: JSONValue) throws {
        #expect(try JSONValue.parse(text) == value)
    }

    @Test(arguments: ["1e999", "-1e999", "9223372036854775808", "-9223372036854775809", String(repeating: "1", count: 65)])
    func numbersOutOfRangeAreRefused(text: String) {
        #expect(code(text) == .numberOutOfRange)
    }

    @Test(arguments: [
        "", " ", "NaN", "Infinity", "-Infinity", "nul", "tru", "01", "-", "1.", ".5", "1e", "+1", "[1,]", "[,1]", "{\"a\"}",
        "{\"a\":}", "{\"a\":1,}", "{a:1}", "[1 2]", "{}{}", "1 2", "[", "{", "\"", "\"\\", "\"\\x\"", "\"\\u12\"",
        "\"\\u12G4\"", "'a'", "\u{FEFF}{}", "{\"a\":1,,\"b\":2}", "[1]]", "//x\n1", "0x10", "1_000",
    ])
    func whatIsNoJSONIsRefused(text: String) {
        #expect(code(text) == .syntax)
    }

    @Test(arguments: [
        #"{"a":1,"a":1}"#, #"{"a":1,"\u0061":2}"#, #"{"x":{"k":1,"k":2}}"#, "{\"\u{E9}\":1,\"e\u{301}\":2}",
        "{\"K\":1,\"\u{212A}\":2}",
    ])
    func doubledNamesAreRefused(text: String) {
        #expect(code(text) == .duplicateKey)
    }

    @Test func namesAreFoundByTheirBytes() throws {
        let object = try #require(try JSONValue.parse("{\"\u{212A}eyId\":1}").objectValue)
        #expect(object["KeyId"] == nil)
        #expect(object["\u{212A}eyId"] == 1)
    }

    @Test(arguments: [#""\ud800""#, #""\udc00""#, #""\ud800\ud800""#, #""\ud800x""#, #""\ud83d\n""#])
    func loneSurrogatesAreRefused(text: String) {
        #expect(code(text) == .loneSurrogate)
    }

    @Test func surrogatePairsAreRead() throws {
        #expect(try JSONValue.parse(#""\ud83d\ude00 \u00e9 \/""#) == "😀 é /")
    }

    @Test(arguments: ["\"a\u{0}b\"", #""\u0000""#, "\"a\nb\"", "\"\u{1F}\""])
    func controlCharactersAreRefused(text: String) {
        #expect(code(text) == .controlCharacter)
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xC3, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
        ] as [[UInt8]])
    func invalidUTF8IsRefused(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSONValue.parse(bytes) }
    }

    @Test func depthIsBounded() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(code(nested(31)) == nil)
        #expect(code(nested(32)) == nil)
        #expect(code(nested(33)) == .tooDeep)
        #expect(code(String(repeating: "[", count: 10_000)) == .tooDeep)
    }

    @Test func entriesOfAllContainersTogetherAreBounded() {
        func list(_ count: Int) -> String { "[" + Array(repeating: "[1]", count: count).joined(separator: ",") + "]" }
        let limits = JSONLimits(entries: 20)
        #expect(code(list(9), limits: limits) == nil)
        #expect(code(list(10), limits: limits) == nil)
        #expect(code(list(11), limits: limits) == .tooManyEntries)
    }

    @Test func lengthIsBounded() {
        let limits = JSONLimits(bytes: 4)
        #expect(code("[1]", limits: limits) == nil)
        #expect(code("[11]", limits: limits) == nil)
        #expect(code("[111]", limits: limits) == .tooLong)
    }

    @Test func anErrorShowsNothingOfTheText() {
        do {
            _ = try JSONValue.parse(#"{"Plaintext": "secret", oops}"#)
            Issue.record("The text was read")
        } catch {
            #expect("\(error)" == "A member's name is missing at byte 24")
        }
    }

    /// Whatever is read is written as a text that reads back as the same.
    @Test func randomBytesNeverCrashAndWhatIsReadReadsBack() throws {
        let seed = UInt64.random(in: 0...(.max))
        var generator = SplitMix(state: seed)
        let alphabet = Array(#"{}[]",:\u0d8efnt1234-+. "#.utf8) + [0x00, 0x80, 0xC3, 0xA9, 0xFF]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 1...24, using: &generator)).map { _ in alphabet.randomElement(using: &generator)! }
            guard let value = try? JSONValue.parse(bytes) else { continue }
            #expect(try JSONValue.parse(value.serialized()) == value, "seed \(seed)")
        }
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
