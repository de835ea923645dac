/// What the partitions of a chunk hold.
package enum ChunkKind: UInt32, Sendable {
    /// Rows as imported.
    case observations = 1
    /// Records by item: a key and bytes that another module gives meaning.
    case fittedSeries = 2
    case backtestValues = 3
    case forecastValues = 4
}
