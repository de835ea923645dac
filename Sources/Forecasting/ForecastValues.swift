package import TimeSeries

/// The forecast of one series. It stands alone: QueryForecast and exports need nothing else.
///
/// Bytes, little-endian: version u8 = 1 · steps varint · types u8, each u8 (hundredths, 0 for the mean) · timestamps: first and then deltas, signed
/// varints · values f64, type by type.
package struct ForecastValues: Sendable, Hashable {
    package let types: [ForecastType]
    package let timestamps: [EpochSeconds]
    /// `values[type][step]`
    package let values: [[Double]]

    package init(types: [ForecastType], timestamps: [EpochSeconds], values: [[Double]]) {
        precondition(values.count == types.count, "a forecast has one list of values a type")
        precondition(values.allSatisfy { $0.count == timestamps.count }, "a forecast has one value a timestamp")
        self.types = types
        self.timestamps = timestamps
        self.values = values
    }

    package func values(of type: ForecastType) -> [Double]? { types.firstIndex(of: type).map { values[$0] } }

    /// The part between two timestamps, both included.
    package func between(_ start: EpochSeconds?, _ end: EpochSeconds?) -> ForecastValues {
        let kept = timestamps.indices.filter { timestamps[$0] >= start ?? .min && timestamps[$0] <= end ?? .max }
        return ForecastValues(
            types: types, timestamps: kept.map { timestamps[$0] }, values: values.map { list in kept.map { list[$0] } })
    }

    private static let version: UInt8 = 1

    package var encoded: [UInt8] {
        var writer = ByteWriter(reserving: 16 + timestamps.count * (4 + 8 * types.count))
        writer.append(Self.version)
        writer.appendVarint(timestamps.count)
        writer.append(UInt8(types.count))
        for type in types { writer.append(type.code) }
        writer.append(timestamps: timestamps)
        for list in values { for value in list { writer.append(value) } }
        return writer.bytes
    }

    /// Throws `ForecastingError` or `TimeSeriesError` where the bytes are not what `encoded` writes.
    package init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = ByteReader(bytes)
        guard try reader.read(UInt8.self) == Self.version else { throw ForecastingError.corruptedData("an unknown version") }
        let count = try reader.readCount()
        let types = try reader.readTypes()
        let timestamps = try reader.readTimestamps(count)
        var values: [[Double]] = []
        for _ in types { values.append(try reader.readDoubles(count)) }
        try reader.finish()
        self.init(types: types, timestamps: timestamps, values: values)
    }

    package init(decoding bytes: [UInt8]) throws {
        self = try bytes.withUnsafeBytes { try ForecastValues(decoding: $0) }
    }
}

extension ByteWriter {
    mutating func append(timestamps: [EpochSeconds]) {
        var previous: EpochSeconds = 0
        for timestamp in timestamps {
            appendSigned(timestamp - previous)
            previous = timestamp
        }
    }
}

extension ByteReader {
    mutating func readTypes() throws -> [ForecastType] {
        let count = Int(try read(UInt8.self))
        guard count <= ForecastType.countLimit + 1 else { throw ForecastingError.corruptedData("too many forecast types") }
        var types: [ForecastType] = []
        for _ in 0..<count { types.append(try ForecastType(code: try read())) }
        return types
    }

    mutating func readTimestamps(_ count: Int) throws -> [EpochSeconds] {
        var timestamps: [EpochSeconds] = []
        var previous: EpochSeconds = 0
        for _ in 0..<count {
            let (timestamp, overflows) = previous.addingReportingOverflow(try readSigned())
            guard !overflows else { throw ForecastingError.corruptedData("a timestamp is out of bounds") }
            timestamps.append(timestamp)
            previous = timestamp
        }
        return timestamps
    }

    mutating func readDoubles(_ count: Int) throws -> [Double] {
        guard count >= 0, remaining / 8 >= count else { throw ForecastingError.corruptedData("it ends too early") }
        var values: [Double] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try readDouble()) }
        return values
    }
}
