/// What a row parser needs of a layout: the part that each column plays, in column order.
struct RowLayout {
    enum Part {
        /// A field of the item's key, by its place in the key.
        case key(Int)
        case timestamp
        case target(isInteger: Bool)
    }

    let parts: [Part]
    let names: [String]
    let keyFieldCount: Int
    let format: TimestampFormat

    /// Throws `invalidArgument` for datasets other than target time series.
    init(_ layout: DatasetLayout, format: TimestampFormat) throws(TimeSeriesError) {
        guard layout.type == .targetTimeSeries else {
            throw .invalidArgument("only TARGET_TIME_SERIES datasets can be imported")
        }
        let keyColumns = layout.keyColumns
        parts = layout.schema.attributes.indices.map { column in
            if column == layout.timestampColumn { return .timestamp }
            if column == layout.targetColumn { return .target(isInteger: layout.schema.attributes[column].type == .integer) }
            return .key(keyColumns.firstIndex(of: column) ?? 0)
        }
        names = layout.schema.attributes.map(\.name)
        keyFieldCount = keyColumns.count
        self.format = format
    }
}
