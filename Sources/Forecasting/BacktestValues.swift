package import TimeSeries

/// What was forecast for one series in its backtest windows, beside what came: the source of both backtest exports.
///
/// Bytes, little-endian: version u8 = 1 · types u8, each u8 · windows u8, each: number u8 · steps varint · timestamps signed varints · seasonal scale
/// f64 (NaN: none) · actual f64 · values f64, type by type · means f64.
package struct BacktestValues: Sendable, Hashable {
    package struct Window: Sendable, Hashable {
        /// Its place among the predictor's windows, the latest being 0.
        package let number: Int
        package let timestamps: [EpochSeconds]
        package let actual: [Double]
        /// `values[type][step]`
        package let values: [[Double]]
        /// The mean forecast, whether asked for or not: point metrics are measured on it.
        package let means: [Double]
        /// What MASE divides by; nil where it is not defined.
        package let seasonalScale: Double?
    }

    package let types: [ForecastType]
    /// The windows that the series took part in, latest first.
    package let windows: [Window]

    private static let version: UInt8 = 1

    package var encoded: [UInt8] {
        var writer = ByteWriter(reserving: 1024)
        writer.append(Self.version)
        writer.append(UInt8(types.count))
        for type in types { writer.append(type.code) }
        writer.append(UInt8(windows.count))
        for window in windows {
            writer.append(UInt8(window.number))
            writer.appendVarint(window.timestamps.count)
            writer.append(timestamps: window.timestamps)
            writer.append(window.seasonalScale ?? .nan)
            for list in [window.actual] + window.values + [window.means] { for value in list { writer.append(value) } }
        }
        return writer.bytes
    }

    init(types: [ForecastType], windows: [Window]) {
        self.types = types
        self.windows = windows
    }

    /// Throws `ForecastingError` or `TimeSeriesError` where the bytes are not what `encoded` writes.
    package init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = ByteReader(bytes)
        guard try reader.read(UInt8.self) == Self.version else { throw ForecastingError.corruptedData("an unknown version") }
        types = try reader.readTypes()
        let count = Int(try reader.read(UInt8.self))
        guard count <= PredictorSettings.backtestWindowLimit else { throw ForecastingError.corruptedData("too many windows") }
        var windows: [Window] = []
        for _ in 0..<count {
            let number = Int(try reader.read(UInt8.self))
            let steps = try reader.readCount()
            guard number < PredictorSettings.backtestWindowLimit, steps > 0 else {
                throw ForecastingError.corruptedData("a window is impossible")
            }
            let timestamps = try reader.readTimestamps(steps)
            let scale = try reader.readDouble()
            let actual = try reader.readDoubles(steps)
            var values: [[Double]] = []
            for _ in types { values.append(try reader.readDoubles(steps)) }
            windows.append(
                Window(
                    number: number, timestamps: timestamps, actual: actual, values: values, means: try reader.readDoubles(steps),
                    seasonalScale: scale.isNaN ? nil : scale))
        }
        try reader.finish()
        self.windows = windows
    }

    package init(decoding bytes: [UInt8]) throws {
        self = try bytes.withUnsafeBytes { try BacktestValues(decoding: $0) }
    }
}
