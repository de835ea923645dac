/// Aligns, aggregates and fills the rows of one item.
struct SeriesFilling {
    let grid: TimeGrid
    let transformations: TargetTransformations

    /// `rows` are ordered by timestamp, then by input, and hold no missing value. Values go from the first row's point to `lastPoint`.
    func series(
        _ key: ItemKey, _ rows: [(timestamp: EpochSeconds, value: Double)], lastPoint: Int
    ) throws(TimeSeriesError) -> Series {
        let start = grid.index(of: rows[0].timestamp)
        let last = max(lastPoint, grid.index(of: rows[rows.count - 1].timestamp))
        guard last - start < SeriesAssembler.pointLimit else {
            throw .invalidArgument(
                "a series spans more than \(SeriesAssembler.pointLimit) points at the frequency \(grid.frequency); check the timestamps or use a coarser frequency"
            )
        }
        var values: [Double] = []
        values.reserveCapacity(last - start + 1)
        var observed: [Double] = []
        var point = start
        var pointValues: [Double] = []
        for row in rows {
            let index = grid.index(of: row.timestamp)
            if index != point {
                close(&pointValues, &values, &observed)
                fill(index - point - 1, transformations.middlefill, &values, observed)
                point = index
            }
            pointValues.append(row.value)
        }
        close(&pointValues, &values, &observed)
        fill(last - point, transformations.backfill, &values, observed)
        return Series(key: key, start: start, values: values, observedCount: observed.count)
    }

    private func close(_ pointValues: inout [Double], _ values: inout [Double], _ observed: inout [Double]) {
        let value = transformations.aggregation.combine(pointValues[...])
        values.append(value)
        observed.append(value)
        pointValues.removeAll(keepingCapacity: true)
    }

    private func fill(_ count: Int, _ method: FillMethod, _ values: inout [Double], _ observed: [Double]) {
        guard count > 0 else { return }
        let value = method.fill(after: observed[...])
        values.append(contentsOf: repeatElement(value, count: count))
    }
}
