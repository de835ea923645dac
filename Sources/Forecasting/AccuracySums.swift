import TimeSeries

/// The sums of all backtest windows: each train task makes its own, the commit merges them in the order of tasks.
package struct AccuracySums: Sendable, Hashable {
    package let types: [ForecastType]
    package let windows: [BacktestWindow]
    package private(set) var sums: [WindowSums]

    package init(settings: PredictorSettings, windows: [BacktestWindow]) {
        types = settings.types
        self.windows = windows
        sums = [WindowSums](repeating: WindowSums(typeCount: settings.types.count), count: windows.count)
    }

    mutating func add(_ result: BacktestValues.Window, types: [ForecastType], window: Int) {
        sums[window].add(result, types: types)
    }

    /// Throws `invalidArgument` when the other belongs to other settings.
    package mutating func merge(_ other: AccuracySums) throws(ForecastingError) {
        guard types == other.types, windows == other.windows else {
            throw .invalidArgument("metrics of different predictors cannot be merged")
        }
        for index in sums.indices { sums[index].merge(other.sums[index]) }
    }

    package var report: AccuracyReport { AccuracyReport(types: types, windows: windows, sums: sums) }

    /// Little-endian: version u8 = 1 · windows u8 · types u8 · the sums in the order of their declaration. The settings are not in it.
    package var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.append(UInt8(1))
        writer.append(UInt8(windows.count))
        writer.append(UInt8(types.count))
        for window in sums {
            writer.append(UInt64(window.itemCount))
            writer.append(UInt64(window.pointCount))
            writer.append(window.absoluteActual)
            for loss in window.quantileLosses { writer.append(loss) }
            for errors in window.errors + [window.meanErrors] {
                for value in [errors.absolute, errors.squared, errors.percentage, errors.scaled] { writer.append(value) }
                writer.append(UInt64(errors.percentageCount))
                writer.append(UInt64(errors.scaledCount))
            }
        }
        return writer.bytes
    }

    /// Throws `ForecastingError` or `TimeSeriesError` where the bytes are not what `encoded` writes for these settings.
    package init(decoding bytes: [UInt8], settings: PredictorSettings, windows: [BacktestWindow]) throws {
        self.init(settings: settings, windows: windows)
        try bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            guard try reader.read(UInt8.self) == 1, try reader.read(UInt8.self) == windows.count,
                try reader.read(UInt8.self) == types.count
            else { throw ForecastingError.corruptedData("the metrics belong to other settings") }
            for index in sums.indices { sums[index] = try Self.window(&reader, types: types.count) }
            try reader.finish()
        }
    }

    private static func window(_ reader: inout ByteReader, types: Int) throws -> WindowSums {
        var window = WindowSums(typeCount: types)
        window.itemCount = try count(&reader)
        window.pointCount = try count(&reader)
        window.absoluteActual = try reader.readDouble()
        for index in 0..<types { window.quantileLosses[index] = try reader.readDouble() }
        for index in 0...types {
            var errors = ErrorSums()
            errors.absolute = try reader.readDouble()
            errors.squared = try reader.readDouble()
            errors.percentage = try reader.readDouble()
            errors.scaled = try reader.readDouble()
            errors.percentageCount = try count(&reader)
            errors.scaledCount = try count(&reader)
            if index < types { window.errors[index] = errors } else { window.meanErrors = errors }
        }
        return window
    }

    private static func count(_ reader: inout ByteReader) throws -> Int {
        let value = try reader.read(UInt64.self)
        guard value < 1 << 48 else { throw ForecastingError.corruptedData("a count is impossibly large") }
        return Int(value)
    }
}
