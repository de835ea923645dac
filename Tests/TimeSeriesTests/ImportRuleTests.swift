import Testing
import TimeSeries

/// One broken rule a case: a good file is mutated, and the error must name file, line, column and rule, and never the value.
@Suite struct ImportRuleTests {
    static let good = "a,2014-01-01 00:00:00,1\na,2014-01-01 01:00:00,2.5\nb,2014-01-01 00:00:00,-3e2\n"

    static func failure(_ bytes: [UInt8], target: AttributeType = .float, bufferBytes: Int = 1 << 20) throws -> TimeSeriesError? {
        do {
            _ = try importChunks(bytes, layout: customLayout(target: target), bufferBytes: bufferBytes)
            return nil
        } catch let error as TimeSeriesError {
            return error
        }
    }

    static let cases: [(row: String, rule: RowRule, column: Int?)] = [
        ("c,2014-01-01 00:00:00", .columnCount(expected: 3, found: 2), nil),
        ("c,2014-01-01 00:00:00,1,2", .columnCount(expected: 3, found: 4), nil),
        ("c,2014-01-01 00:00:00,1,", .columnCount(expected: 3, found: 4), nil),
        ("c", .columnCount(expected: 3, found: 1), nil),
        ("c;2014-01-01 00:00:00;1", .columnCount(expected: 3, found: 1), nil),
        ("", .blankLine, nil),
        ("c,2014-01-01,1", .timestamp(.dateTime), 2),
        ("c,2014-02-30 00:00:00,1", .timestamp(.dateTime), 2),
        ("c,,1", .missingValue, 2),
        (",2014-01-01 00:00:00,1", .missingValue, 1),
        ("  ,2014-01-01 00:00:00,1", .missingValue, 1),
        ("\"\",2014-01-01 00:00:00,1", .missingValue, 1),
        ("c,2014-01-01 00:00:00,secret", .number, 3),
        ("c,2014-01-01 00:00:00,1.2.3", .number, 3),
        ("c,2014-01-01 00:00:00,0x10", .number, 3),
        ("c,2014-01-01 00:00:00,1e", .number, 3),
        ("c,2014-01-01 00:00:00,1e+", .number, 3),
        ("c,2014-01-01 00:00:00,.", .number, 3),
        ("c,2014-01-01 00:00:00,-", .number, 3),
        ("c,2014-01-01 00:00:00,1 2", .number, 3),
        ("c,2014-01-01 00:00:00,1_000", .number, 3),
        ("c,2014-01-01 00:00:00,1e999", .notFinite, 3),
        ("c,2014-01-01 00:00:00,Infinity", .notFinite, 3),
        ("c,2014-01-01 00:00:00,-inf", .notFinite, 3),
        ("c\u{1},2014-01-01 00:00:00,1", .controlCharacter, 1),
        ("c\u{0},2014-01-01 00:00:00,1", .controlCharacter, 1),
        ("c\rd,2014-01-01 00:00:00,1", .bareCarriageReturn, nil),
        ("c\"d,2014-01-01 00:00:00,1", .quoteInsideField, 1),
        ("\"c\"d,2014-01-01 00:00:00,1", .textAfterQuote, 1),
        ("\"c,2014-01-01 00:00:00,1", .newlineInQuotes, 1),
        ("\"c\nd\",2014-01-01 00:00:00,1", .newlineInQuotes, 1),
        ("c,2014-01-01 00:00:00,\"1", .newlineInQuotes, 3),
    ]

    @Test(arguments: cases.indices) func aBrokenRowIsNamed(_ index: Int) throws {
        let (row, rule, column) = Self.cases[index]
        for bufferBytes in [1, 7, 1 << 20] {
            let error = try #require(
                try Self.failure(Array((Self.good + row + "\n" + Self.good).utf8), bufferBytes: bufferBytes), "\(row)")
            #expect(error.code == .malformedRow)
            #expect(error.rule == rule)
            #expect(error.location?.file == "orders.csv")
            #expect(error.location?.line == 4)
            #expect(error.location?.column?.number == column)
            #expect(!error.description.contains("secret"))
        }
    }

    @Test func theMessageNamesFileLineColumnAndRule() throws {
        let error = try #require(try Self.failure(Array((Self.good + "c,2014-01-01 00:00:00,secret\n").utf8)))
        #expect(error.description == "orders.csv, line 4, column 3 (target_value): not a number")
        #expect(error.movingLine(by: 10).description == "orders.csv, line 14, column 3 (target_value): not a number")
    }

    @Test func invalidUTF8IsNamed() throws {
        for bytes in [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] as [[UInt8]] {
            let row = Array("c".utf8) + bytes + Array(",2014-01-01 00:00:00,1\n".utf8)
            let error = try #require(try Self.failure(Array(Self.good.utf8) + row))
            #expect(error.rule == .invalidUTF8)
            #expect(error.location?.column?.name == "item_id")
            #expect(error.location?.line == 4)
        }
    }

    @Test(arguments: [
        "item_id,timestamp,target_value", "ITEM_ID,TIMESTAMP,TARGET_VALUE", "\"item_id\",\"timestamp\",\"target_value\"",
        "item,date,sales",
        "item_id,timestamp,target_value,price",
    ]) func aHeaderRowIsNamed(_ header: String) throws {
        let error = try #require(try Self.failure(Array((header + "\n" + Self.good).utf8)))
        #expect(error.rule == .headerRow)
        #expect(error.location?.line == 1)
    }

    @Test func aBrokenFirstRowIsNoHeader() throws {
        let error = try #require(try Self.failure(Array(("c,2014-01-01 00:00:00,x\n" + Self.good).utf8)))
        #expect(error.rule == .number)
        let later = try #require(try Self.failure(Array((Self.good + "item_id,timestamp,target_value\n").utf8)))
        #expect(later.rule == .timestamp(.dateTime))
    }

    /// An item may be called like an attribute, also where its row goes the careful way.
    @Test func anItemNamedLikeAnAttributeIsNoHeader() throws {
        #expect(try Self.failure(Array("timestamp,2014-01-01 00:00:00,NaN\n\"item_id\",2014-01-01 00:00:00,1\n".utf8)) == nil)
    }

    /// Any bytes give chunks or a named rule, and the same whatever the buffers.
    @Test func damagedFilesAreNamedTheSameForAnyBuffers() throws {
        var generator = SeededGenerator(state: 5)
        let alphabet = Array(",\"\n\r 0123456789-:.eNa\u{0}".utf8) + [0xC3, 0xFF]
        for _ in 0..<1500 {
            var bytes = Array((Self.good + "\"q\"\"x\",2014-01-02 00:00:00,\n" + Self.good).utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = alphabet.randomElement(using: &generator) ?? 0
                case 1: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: place)
                default: bytes.remove(at: place)
                }
            }
            let whole = try Self.failure(bytes)
            for bufferBytes in [1, 13] { #expect(try Self.failure(bytes, bufferBytes: bufferBytes) == whole) }
        }
    }

    @Test func anEmptyFileIsNamed() throws {
        #expect(try Self.failure([])?.rule == .emptyFile)
        #expect(try Self.failure(Array("\n".utf8))?.rule == .blankLine)
    }

    @Test func aByteOrderMarkIsNamed() throws {
        for bufferBytes in [1, 1 << 20] {
            let error = try #require(try Self.failure([0xEF, 0xBB, 0xBF] + Array(Self.good.utf8), bufferBytes: bufferBytes))
            #expect(error.rule == .byteOrderMark)
            #expect(error.location?.line == 1)
        }
    }

    @Test func rowLengthHoldsAtItsLimit() throws {
        let tail = ",2014-01-01 00:00:00,1"
        let limit = ChunkBuilder.rowBytesLimit
        for (length, ending, isLegal) in [
            (limit - 1, "\n", true), (limit, "\r\n", true), (limit, "", true), (limit + 1, "\n", false), (limit + 1, "", false),
        ] {
            let row = String(repeating: "x", count: length - tail.utf8.count) + tail + ending
            for bufferBytes in [1000, 1 << 20] {
                let error = try Self.failure(Array((Self.good + row).utf8), bufferBytes: bufferBytes)
                #expect(error?.rule == (isLegal ? nil : .rowTooLong(bytes: limit)))
            }
        }
    }

    @Test func integersAreStrict() throws {
        for (text, isLegal) in [
            ("12", true), ("-12", true), ("+3", true), ("12.0", false), ("1e3", false), ("NaN", false), ("", true),
        ] {
            let error = try Self.failure(Array("a,2014-01-01 00:00:00,\(text)\n".utf8), target: .integer)
            #expect((error == nil) == isLegal, "\(text)")
            if !isLegal { #expect(error?.rule == .integer) }
        }
    }

    @Test func rowsMayBeWrittenInSeveralWays() throws {
        let plain = "a,2014-01-01 00:00:00,1\nb c,2014-01-01 01:00:00,2\n"
        let variants = [
            "a,2014-01-01 00:00:00,1\r\nb c,2014-01-01 01:00:00,2\r\n", "a,2014-01-01 00:00:00,1\nb c,2014-01-01 01:00:00,2",
            "a, 2014-01-01 00:00:00, 1\n b c ,2014-01-01 01:00:00 ,2 \n",
            "\"a\",\"2014-01-01 00:00:00\",\"1\"\n\"b c\",2014-01-01 01:00:00,2\n",
            "\"a\" ,2014-01-01 00:00:00,1\n \"b c\",2014-01-01 01:00:00,2.0\n",
        ]
        let layout = try customLayout()
        let expected = try assemble(importChunks(plain, layout: layout), layout: layout)
        for variant in variants {
            #expect(try assemble(importChunks(variant, layout: layout), layout: layout) == expected)
        }
    }

    @Test func quotesAndCommasStayInsideQuotedKeys() throws {
        let layout = try customLayout()
        let chunks = try importChunks(
            "\"a\"\"b\",2014-01-01 00:00:00,1\n\"a,b\",2014-01-01 00:00:00,2\n\" a\",2014-01-01 00:00:00,3\n\"ü\",2014-01-01 00:00:00,4\n",
            layout: layout)
        let keys = try assemble(chunks, layout: layout).map(\.key.itemID)
        #expect(keys == [" a", "a\"b", "a,b", "ü"])
    }

    @Test func aMisplacedQuoteIsFoundAfterTheSameKeyCameInQuotes() throws {
        let error = try #require(try Self.failure(Array("\"a\"\"b\",2014-01-01 00:00:00,1\na\"b,2014-01-01 01:00:00,1\n".utf8)))
        #expect(error.rule == .quoteInsideField)
        #expect(error.location?.line == 2)
    }
}
