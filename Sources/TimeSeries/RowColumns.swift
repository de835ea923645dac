/// The rows of one chunk in columns, in input order: item number, timestamp, value.
///
/// Room for all rows of a chunk is reserved at once; the system backs only what is written. Not `Sendable`: one owner at a time.
final class RowColumns {
    let capacity: Int
    private(set) var count = 0
    let items: UnsafeMutablePointer<UInt32>
    let timestamps: UnsafeMutablePointer<EpochSeconds>
    /// NaN where the value is missing.
    let values: UnsafeMutablePointer<Double>

    init(capacity: Int) {
        self.capacity = capacity
        items = .allocate(capacity: capacity)
        timestamps = .allocate(capacity: capacity)
        values = .allocate(capacity: capacity)
    }

    deinit {
        items.deallocate()
        timestamps.deallocate()
        values.deallocate()
    }

    @inline(__always)
    func append(item: Int, timestamp: EpochSeconds, value: Double) {
        precondition(count < capacity, "a full chunk takes no further row")
        items[count] = UInt32(truncatingIfNeeded: item)
        timestamps[count] = timestamp
        values[count] = value
        count += 1
    }
}
