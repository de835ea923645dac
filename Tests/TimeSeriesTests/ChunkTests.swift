import Testing
import TimeSeries

@Suite struct ChunkTests {
    static func csv(items: Int, hours: Int, seed: UInt64 = 3) -> [UInt8] {
        var generator = SeededGenerator(state: seed)
        var text = ""
        for hour in 0..<hours {
            for item in 0..<items {
                let time = TimestampStyle.spaced.string(1_400_000_400 + Int64(hour) * 3600)
                text += "item_\(item),\(time),\(Int.random(in: 0...1_000_000, using: &generator))\n"
            }
        }
        return Array(text.utf8)
    }
    static let small = try! ChunkLimits(chunkBytes: 64 << 10, frameBytes: 1 << 10)

    @Test func anySplitOfTheInputGivesTheSameChunks() throws {
        let layout = try customLayout()
        let csv = Self.csv(items: 20, hours: 12)
        let whole = try importChunks(csv, layout: layout)
        for bufferBytes in [1, 2, 3, 17, 40, 41, 1000] {
            let split = try importChunks(csv, layout: layout, bufferBytes: bufferBytes)
            #expect(split.map(\.plaintext) == whole.map(\.plaintext))
            #expect(split.map(\.end) == whole.map(\.end))
        }
    }

    @Test func chunksEndAtRowsAndTheNextBeginsThere() throws {
        let layout = try customLayout()
        let csv = Self.csv(items: 37, hours: 400)
        let one = try importChunks(csv, layout: layout)
        let many = try importChunks(csv, layout: layout, limits: Self.small, bufferBytes: 1013)
        #expect(one.count == 1)
        #expect(many.count > 3)
        #expect(many.map(\.plaintext) == (try importChunks(csv, layout: layout, limits: Self.small)).map(\.plaintext))
        #expect(many.reduce(0) { $0 + $1.rowCount } == 37 * 400)
        #expect(many.last?.end == InputPosition(offset: csv.count, line: 37 * 400 + 1))
        for chunk in many {
            #expect(chunk.plaintext.count < Self.small.chunkBytes + 3 * 8 * 1024 + Self.small.frameBytes)
            #expect(csv[chunk.end.offset - 1] == UInt8(ascii: "\n"))
        }
        #expect(try assemble(many, layout: layout) == assemble(one, layout: layout))
        #expect(try assemble(many, layout: layout, reversed: true) == assemble(one, layout: layout))
        for shares in [2, 8, 64, 256] {
            #expect(try assemble(many, layout: layout, shares: shares) == assemble(one, layout: layout))
        }
        var merged = DatasetStatistics(schema: layout.schema)
        for chunk in many { try merged.merge(chunk.statistics) }
        for (a, b) in zip(merged.fields, one[0].statistics.fields) {
            #expect(a.count == b.count)
            #expect(a.minimumText == b.minimumText)
            #expect(a.maximumText == b.maximumText)
            #expect(a.distinctCount == b.distinctCount)
        }
        let average = try #require(merged.fields[2].average)
        #expect(abs(average - (one[0].statistics.fields[2].average ?? 0)) < 1e-6 * average)
    }

    @Test func partitionsAreAlignedToFramesAndRangesNest() throws {
        let layout = try customLayout()
        let chunk = try #require(
            try importChunks(
                Self.csv(items: 500, hours: 30), layout: layout, limits: ChunkLimits(chunkBytes: 1 << 20, frameBytes: 1 << 10)
            ).first)
        let index = try ChunkIndex(
            reading: chunk.plaintext, expecting: .observations, plaintextBytes: chunk.plaintext.count)
        #expect(index.partitions.count == 32 || index.partitions.count == 64)
        #expect(index.rowCount == 15_000)
        #expect(index.itemCount == 500)
        for partition in index.partitions { #expect(partition.bytes.lowerBound % 1024 == 0) }
        let halves = try HashShare.all(of: 2).compactMap { index.bytes(of: $0) }
        let whole = try #require(index.bytes(of: .everything))
        #expect(halves[0].lowerBound == whole.lowerBound)
        #expect(halves[1].upperBound == whole.upperBound)
        #expect(halves[0].upperBound <= halves[1].lowerBound)
        let parts = try HashShare.all(of: index.partitions.count * 4)
        #expect(parts[5].count == index.partitions.count * 4)
        #expect(index.bytes(of: parts[5]) == index.partitions[1].bytes)
        let key = ItemKey(itemID: "item_7")
        #expect(
            try index.partition(of: key)
                == index.partitions(of: #require(HashShare.all(of: 64).first { $0.contains(key.partitionHash) }))[0])
    }

    @Test func dimensionsMakeKeysAndCanBeLeftOut() throws {
        let layout = try customLayout(dimensions: ["store"])
        let csv = "a,2014-01-01 00:00:00,1,x\na,2014-01-01 00:00:00,2,y\na,2014-01-01 01:00:00,5,y\nb,2014-01-01 00:00:00,4,\n"
        let chunks = try importChunks(csv, layout: layout)
        let full = try assemble(chunks, layout: layout, dimensions: ["store"])
        #expect(full.map(\.key.fields) == [["a", "x"], ["a", "y"], ["b", ""]])
        #expect(full.map(\.values) == [[1, 0], [2, 5], [4, 0]])
        let merged = try assemble(chunks, layout: layout, shares: 4)
        #expect(merged.map(\.key.fields) == [["a"], ["b"]])
        #expect(merged.map(\.values) == [[3, 5], [4, 0]])
        #expect(chunks[0].statistics.fields[3].nullCount == 1)
        #expect(chunks[0].statistics.fields[3].distinctCount == 2)
        #expect(throws: TimeSeriesError.self) { try assemble(chunks, layout: layout, dimensions: ["shop"]) }
    }

    @Test func statisticsAreThoseOfTheRows() throws {
        let layout = try customLayout()
        let csv =
            "a,2014-01-01 01:00:00,1\nb,2014-01-01 00:00:00,3\na,2014-01-02 00:00:00,\nc,2014-01-01 00:00:00,NaN\na,2014-01-01 01:00:00,3\n"
        let chunk = try #require(try importChunks(csv, layout: layout).first)
        let fields = chunk.statistics.fields
        #expect(fields[0].count == 5 && fields[0].distinctCount == 3 && fields[0].nullCount == 0 && fields[0].minimumText == nil)
        #expect(fields[1].count == 5 && fields[1].distinctCount == 3)
        #expect(fields[1].minimumText == "2014-01-01T00:00:00Z")
        #expect(fields[1].maximumText == "2014-01-02T00:00:00Z")
        #expect(fields[2].count == 3 && fields[2].nullCount == 1 && fields[2].nanCount == 1 && fields[2].distinctCount == 2)
        #expect(fields[2].minimumText == "1.0" && fields[2].maximumText == "3.0")
        #expect(abs((fields[2].average ?? 0) - 7 / 3) < 1e-12)
        #expect(abs((fields[2].standardDeviation ?? 0) - (8.0 / 9).squareRoot()) < 1e-12)
        let index = try ChunkIndex(reading: chunk.plaintext, expecting: .observations, plaintextBytes: chunk.plaintext.count)
        #expect(try DatasetStatistics(decoding: Array(chunk.plaintext[index.statistics])) == chunk.statistics)
    }

    @Test func damagedChunksThrowAndNeverTrap() throws {
        let layout = try customLayout()
        let chunk = try #require(try importChunks(Self.csv(items: 5, hours: 8), layout: layout, limits: Self.small).first)
        var generator = SeededGenerator(state: 11)
        let index = try ChunkIndex(reading: chunk.plaintext, expecting: .observations, plaintextBytes: chunk.plaintext.count)
        let interesting = Array(0..<100) + Array(index.partitions[0].bytes)
        for round in 0..<4000 {
            var bytes = chunk.plaintext
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[interesting.randomElement(using: &generator) ?? 0] = UInt8.random(in: 0...255, using: &generator)
            }
            if round % 5 == 0 { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &generator)) }
            let damaged = BuiltChunkBytes(bytes)
            #expect(throws: Never.self) { damaged.readIgnoringErrors(layout) }
        }
        #expect(throws: TimeSeriesError.self) {
            try ChunkIndex(reading: chunk.plaintext, expecting: .forecastValues, plaintextBytes: chunk.plaintext.count)
        }
    }

    /// Reads everything of bytes that may be damaged; only module errors may come of it.
    struct BuiltChunkBytes {
        let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func readIgnoringErrors(_ layout: DatasetLayout) {
            do {
                let index = try ChunkIndex(reading: bytes, expecting: .observations, plaintextBytes: bytes.count)
                _ = try DatasetStatistics(decoding: Array(bytes[index.statistics]))
                let assembler = try SeriesAssembler(
                    layout: layout, dimensions: [], grid: TimeGrid(frequency: Frequency(1, .day)), transformations: .init())
                for partition in index.partitions { try assembler.add(partition: Array(bytes[partition.bytes]), chunkOrder: 0) }
                try assembler.forEachSeries(globalEnd: 1_400_000_000) { _ in }
            } catch let error {
                #expect(error is TimeSeriesError)
            }
        }
    }

    @Test func recordsAreFoundByItem() throws {
        var builder = KeyedChunkBuilder(kind: .forecastValues, keyFieldCount: 2, limits: Self.small)
        for item in 0..<300 { try builder.add(ItemKey(itemID: "item \(item)", dimensions: ["x"]), Array("payload \(item)".utf8)) }
        #expect(throws: TimeSeriesError.self) { try builder.add(ItemKey(itemID: "a"), []) }
        let plaintext = builder.finish()
        let bytes = try #require(plaintext)
        #expect(builder.finish() == nil)
        let index = try ChunkIndex(reading: bytes, expecting: .forecastValues, plaintextBytes: bytes.count)
        #expect(index.partitions.count > 1)
        #expect(index.itemCount == 300)
        for item in 0..<300 {
            let key = ItemKey(itemID: "item \(item)", dimensions: ["x"])
            let found = try KeyedPartition.records(in: Array(bytes[index.partition(of: key).bytes])) { $0 == key }
            #expect(found.map(\.payload) == [Array("payload \(item)".utf8)])
        }
    }

    @Test func theStableHashIsXXH64() {
        #expect(StableHash.hash("") == 0xEF46_DB37_51D8_E999)
        #expect(StableHash.hash("a") == 0xD24E_C4F1_A98C_6E5B)
        #expect(StableHash.hash("abc") == 0x44BC_2CF5_AD77_0999)
        #expect(StableHash.hash("Nobody inspects the spammish repetition") == 0xFBCE_A83C_8A37_8BF1)
    }

    @Test func distinctCountsAreExactThenClose() throws {
        for count in [0, 1, 1000, 1023, 1024, 1025, 50_000, 400_000] {
            var left = DistinctCounter()
            var right = DistinctCounter()
            for value in 0..<count {
                let hash = StableHash.hash("value \(value)")
                if value % 2 == 0 || value % 3 == 0 { left.insert(hash: hash) }
                if value % 2 == 1 || value % 3 == 0 { right.insert(hash: hash) }
            }
            left.merge(right)
            let tolerance = count <= 1024 ? 0 : Double(count) * 0.05
            #expect(abs(Double(left.count - count)) <= tolerance, "\(count): \(left.count)")
            var writer = ByteWriter()
            left.encode(into: &writer)
            #expect(
                try writer.bytes.withUnsafeBytes { bytes in
                    var reader = ByteReader(bytes)
                    return try DistinctCounter(decoding: &reader) == left
                })
        }
    }
}
