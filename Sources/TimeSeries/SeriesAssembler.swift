/// Builds series at a predictor's frequency from the partitions of many chunks.
///
/// Timeline: `add` every partition that holds items of the share, from every chunk, in any order; then `forEachSeries`. The result depends on
/// the chunks' order keys and not on the order in which they came. Memory: 16 bytes a row of the share, and one series at a time.
/// Not `Sendable`: one owner at a time.
package final class SeriesAssembler {
    /// A longer series is refused: a mistyped year must not ask for all the memory there is. Ten years of minutes fit.
    package static let pointLimit = 6_000_000

    fileprivate struct Run {
        let item: Int
        let chunkOrder: Int
        let start: Int
        let count: Int
    }

    private let grid: TimeGrid
    private let transformations: TargetTransformations
    private let share: HashShare
    private let keyFieldCount: Int
    /// The fields of the stored keys that stay in the series' keys.
    private let keptFields: [Int]
    private let items = ItemTable()
    fileprivate var runs: [Run] = []
    private var timestamps: [EpochSeconds] = []
    private var values: [Double] = []

    /// `dimensions` are the predictor's ForecastDimensions; series that differ only in others are aggregated into one.
    /// Throws `invalidArgument` for one that the dataset does not have.
    package init(
        layout: DatasetLayout, dimensions: [String], grid: TimeGrid, transformations: TargetTransformations,
        share: HashShare = .everything
    ) throws(TimeSeriesError) {
        let names = layout.keyNames
        var kept: Set<Int> = [0]
        for dimension in dimensions {
            guard let field = names.firstIndex(of: dimension), field > 0 else {
                throw .invalidArgument("the dataset has no dimension '\(dimension)'")
            }
            kept.insert(field)
        }
        keptFields = kept.sorted()
        keyFieldCount = names.count
        self.grid = grid
        self.transformations = transformations
        self.share = share
    }

    package var rowCount: Int { timestamps.count }

    package func reserve(rows: Int) {
        timestamps.reserveCapacity(rows)
        values.reserveCapacity(rows)
    }

    /// Adds the rows of one partition that belong to the share. `chunkOrder` orders chunks as their rows stand in the input.
    package func add(partition bytes: UnsafeRawBufferPointer, chunkOrder: Int) throws(TimeSeriesError) {
        guard !bytes.isEmpty else { return }  // a partition without items
        var reader = try ObservationReader(bytes)
        let share = self.share
        while let item = try reader.next(
            wanted: { (key) throws(TimeSeriesError) in
                share.count == 1 ? true : share.contains(try ItemKey.partitionHash(encoded: key))
            },
            timestamps: &timestamps, values: &values)
        {
            guard item.isWanted else { continue }
            let number = try intern(item.key)
            runs.append(Run(item: number, chunkOrder: chunkOrder, start: timestamps.count - item.rowCount, count: item.rowCount))
        }
    }

    package func add(partition bytes: [UInt8], chunkOrder: Int) throws(TimeSeriesError) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(TimeSeriesError) in try add(partition: buffer, chunkOrder: chunkOrder) }
        }
        try result.get()
    }

    /// Gives each series in the order of the keys. `globalEnd` is the latest timestamp of the whole dataset, all shares included.
    /// An item without a single observed value gives none.
    package func forEachSeries(
        globalEnd: EpochSeconds, _ body: (Series) throws -> Void
    ) throws {
        var cursor = try cursor(globalEnd: globalEnd)
        while let series = try cursor.next() { try body(series) }
    }

    /// The same one by one, for a caller that has to wait in between. Add nothing while it is in use.
    package func cursor(globalEnd: EpochSeconds) throws(TimeSeriesError) -> Cursor {
        var keys: [ItemKey] = []
        for item in 0..<items.count { keys.append(try ItemKey(decoding: items.key(item))) }
        runs.sort { ($0.item, $0.chunkOrder, $0.start) < ($1.item, $1.chunkOrder, $1.start) }
        var runRanges = [Range<Int>](repeating: 0..<0, count: keys.count)
        var index = 0
        while index < runs.count {
            let item = runs[index].item
            let start = index
            while index < runs.count, runs[index].item == item { index += 1 }
            runRanges[item] = start..<index
        }
        return Cursor(
            assembler: self, keys: keys, runRanges: runRanges, order: keys.indices.sorted { keys[$0] < keys[$1] },
            lastPoint: grid.index(of: globalEnd))
    }

    package struct Cursor {
        fileprivate let assembler: SeriesAssembler
        fileprivate let keys: [ItemKey]
        fileprivate let runRanges: [Range<Int>]
        fileprivate let order: [Int]
        fileprivate let lastPoint: Int
        private var place = 0

        fileprivate init(
            assembler: SeriesAssembler, keys: [ItemKey], runRanges: [Range<Int>], order: [Int], lastPoint: Int
        ) {
            self.assembler = assembler
            self.keys = keys
            self.runRanges = runRanges
            self.order = order
            self.lastPoint = lastPoint
        }

        /// Items before the next series, those without one included: a place to go on from.
        package var position: Int { place }

        /// Goes on behind that many items.
        package mutating func skip(to position: Int) { place = min(max(position, place), order.count) }

        package mutating func next() throws(TimeSeriesError) -> Series? {
            while place < order.count {
                let item = order[place]
                place += 1
                if let series = try assembler.series(
                    keys[item], assembler.runs[runRanges[item]], lastPoint: lastPoint)
                {
                    return series
                }
            }
            return nil
        }
    }

    private func intern(_ key: UnsafeRawBufferPointer) throws(TimeSeriesError) -> Int {
        let decoded = try ItemKey(decoding: key)
        guard decoded.fields.count == keyFieldCount else { throw .corruptedChunk("a key does not have the schema's fields") }
        guard keptFields.count < keyFieldCount else { return items.intern(key) }
        let kept = try ItemKey(fields: keptFields.map { decoded.fields[$0] })
        return kept.encoded.withUnsafeBytes { items.intern($0) }
    }

    fileprivate func series(_ key: ItemKey, _ runs: ArraySlice<Run>, lastPoint: Int) throws(TimeSeriesError) -> Series? {
        var rows: [(timestamp: EpochSeconds, value: Double)] = []
        rows.reserveCapacity(runs.reduce(0) { $0 + $1.count })
        var isOrdered = true
        for run in runs {
            for row in run.start..<run.start + run.count where !values[row].isNaN {
                if let last = rows.last, last.timestamp > timestamps[row] { isOrdered = false }
                rows.append((timestamps[row], values[row]))
            }
        }
        guard !rows.isEmpty else { return nil }
        if !isOrdered {
            let order = rows.indices.sorted { (rows[$0].timestamp, $0) < (rows[$1].timestamp, $1) }
            rows = order.map { rows[$0] }
        }
        return try SeriesFilling(grid: grid, transformations: transformations).series(key, rows, lastPoint: lastPoint)
    }
}
