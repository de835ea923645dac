/// One item's values at the points of a grid.
package struct Series: Sendable, Equatable {
    package let key: ItemKey
    /// The grid index of the first value, which is always observed.
    package let start: Int
    /// NaN where a value is missing and filling left it so.
    package let values: [Double]
    /// Values that stand in the data and are not filled.
    package let observedCount: Int

    package init(key: ItemKey, start: Int, values: [Double], observedCount: Int) {
        self.key = key
        self.start = start
        self.values = values
        self.observedCount = observedCount
    }

    /// The grid index after the last value.
    package var end: Int { start + values.count }
}
