import Testing
import TimeSeries

/// The layout of `item_id,timestamp,target_value`, with dimensions after them where given.
func customLayout(dimensions: [String] = [], target: AttributeType = .float) throws -> DatasetLayout {
    try DatasetLayout(
        domain: .custom, type: .targetTimeSeries,
        schema: Schema(
            attributes: [
                .init(name: "item_id", type: .string), .init(name: "timestamp", type: .timestamp),
                .init(name: "target_value", type: target),
            ] + dimensions.map { .init(name: $0, type: .string) }))
}

/// Feeds a whole file in buffers of one size and gives the chunks made of it.
func importChunks(
    _ csv: [UInt8], layout: DatasetLayout, format: TimestampFormat = .dateTime, limits: ChunkLimits = .default,
    bufferBytes: Int = 1 << 20
) throws -> [BuiltChunk] {
    var chunks: [BuiltChunk] = []
    var position = InputPosition.start
    repeat {
        let builder = try ChunkBuilder(layout: layout, format: format, file: "orders.csv", start: position, limits: limits)
        var offset = position.offset
        while !builder.isFull {
            let end = min(offset + bufferBytes, csv.count)
            let progress = try builder.feed(Array(csv[offset..<end]), isLast: end == csv.count)
            offset += progress.consumed
            if end == csv.count, !progress.isFull { break }
        }
        guard let chunk = builder.finish() else { break }
        chunks.append(chunk)
        position = chunk.end
    } while position.offset < csv.count
    return chunks
}

func importChunks(_ csv: String, layout: DatasetLayout, format: TimestampFormat = .dateTime) throws -> [BuiltChunk] {
    try importChunks(Array(csv.utf8), layout: layout, format: format)
}

/// All series of the chunks, read share by share.
func assemble(
    _ chunks: [BuiltChunk], layout: DatasetLayout, frequency: String = "H", boundary: TimeAlignmentBoundary = .none,
    dimensions: [String] = [], transformations: TargetTransformations = .init(), shares: Int = 1, reversed: Bool = false
) throws -> [Series] {
    let grid = TimeGrid(frequency: try Frequency(parsing: frequency), boundary: boundary)
    let globalEnd = chunks.map { $0.statistics.fields[layout.timestampColumn ?? 0].latest }.max() ?? 0
    var series: [Series] = []
    for share in try HashShare.all(of: shares) {
        let assembler = try SeriesAssembler(
            layout: layout, dimensions: dimensions, grid: grid, transformations: transformations, share: share)
        for (order, chunk) in reversed ? chunks.enumerated().reversed() : Array(chunks.enumerated()) {
            let index = try ChunkIndex(
                reading: Array(chunk.plaintext.prefix(ChunkIndex.headBytes)), expecting: .observations,
                plaintextBytes: chunk.plaintext.count)
            for partition in index.partitions(of: share) {
                try assembler.add(partition: Array(chunk.plaintext[partition.bytes]), chunkOrder: order)
            }
        }
        try assembler.forEachSeries(globalEnd: globalEnd) { series.append($0) }
    }
    return series.sorted { $0.key < $1.key }
}

/// A small generator with a seed, so that a failure can be repeated. Source: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
