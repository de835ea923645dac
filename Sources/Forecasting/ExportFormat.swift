package import TimeSeries

/// The lines of the exported files; each part file starts with its header. Source: observed exports of Amazon Forecast.
package struct ExportFormat: Sendable, Hashable {
    /// The item id's column and those of the ForecastDimensions, in the order of the keys.
    package let keyNames: [String]
    package let types: [ForecastType]

    /// What stands for a metric that is not defined.
    package static let notDefined = "not defined"

    package init(keyNames: [String], types: [ForecastType]) {
        self.keyNames = keyNames
        self.types = types
    }

    // MARK: Forecasts

    /// `item_id,date,p10,p50,p90`
    package var forecastHeader: [UInt8] { header(["date"] + types.map(\.columnName)) }

    /// One line a timestamp: `a,2020-07-01T00:00:00Z,1.5,2.0,2.5`. Throws where the forecast lacks a type.
    package func forecastLines(_ key: ItemKey, _ forecast: ForecastValues) throws(ForecastingError) -> [UInt8] {
        var line = CSVLine()
        let columns = try types.map { (type) throws(ForecastingError) in
            guard let values = forecast.values(of: type) else {
                throw .invalidArgument("the forecast has no values for the forecast type \(type)")
            }
            return values
        }
        for (step, timestamp) in forecast.timestamps.enumerated() {
            append(key, to: &line)
            line.append(TimestampStyle.isoZ.string(timestamp))
            for values in columns { line.append(values[step]) }
            line.end()
        }
        return line.bytes
    }

    // MARK: Backtests

    /// `item_id,timestamp,target_value,backtestwindow_start_time,backtestwindow_end_time,p10,p50,p90`
    package var forecastedValuesHeader: [UInt8] {
        header(
            ["timestamp", "target_value", "backtestwindow_start_time", "backtestwindow_end_time"] + types.map(\.columnName))
    }

    /// Throws where the backtest was made for other forecast types.
    package func forecastedValuesLines(_ key: ItemKey, _ backtest: BacktestValues) throws(ForecastingError) -> [UInt8] {
        try check(backtest)
        var line = CSVLine()
        for window in backtest.windows {
            for (step, timestamp) in window.timestamps.enumerated() {
                append(key, to: &line)
                line.append(TimestampStyle.isoZ.string(timestamp))
                line.append(window.actual[step])
                appendBounds(window.timestamps.first ?? 0, window.timestamps.last ?? 0, to: &line)
                for values in window.values { line.append(values[step]) }
                line.end()
            }
        }
        return line.bytes
    }

    /// `item_id,backtest_window,backtestwindow_start_time,backtestwindow_end_time,wQL[0.1],…,Average wQL,RMSE,WAPE,MAPE,MASE`
    package var accuracyMetricsHeader: [UInt8] {
        header(
            ["backtest_window", "backtestwindow_start_time", "backtestwindow_end_time"]
                + types.filter { $0 != .mean }.map { "wQL[\($0)]" } + ["Average wQL", "RMSE", "WAPE", "MAPE", "MASE"])
    }

    /// The item's summary, then its windows; nothing for an item that took part in none. Throws where the backtest was made for
    /// other forecast types.
    package func accuracyMetricsLines(_ key: ItemKey, _ backtest: BacktestValues) throws(ForecastingError) -> [UInt8] {
        try check(backtest)
        let windows = backtest.windows.map { window in
            var sums = WindowSums(typeCount: types.count)
            sums.add(window, types: types)
            return WindowMetrics(
                types: types, startTime: window.timestamps.first ?? 0, endTime: window.timestamps.last ?? 0, sums: sums)
        }
        guard !windows.isEmpty else { return [] }
        var line = CSVLine()
        append(key, "Summary", WindowMetrics(averaging: windows), to: &line)
        for window in windows { append(key, "Computed", window, to: &line) }
        return line.bytes
    }

    private func append(_ key: ItemKey, _ name: String, _ metrics: WindowMetrics, to line: inout CSVLine) {
        append(key, to: &line)
        line.append(name)
        appendBounds(metrics.startTime, metrics.endTime, to: &line)
        let errors = metrics.meanErrors
        for value in metrics.quantileLosses.map(\.loss) + [
            metrics.averageQuantileLoss, errors.rmse, errors.wape, errors.mape, errors.mase,
        ] {
            line.append(value.map { "\($0)" } ?? Self.notDefined)
        }
        line.end()
    }

    private func check(_ backtest: BacktestValues) throws(ForecastingError) {
        guard backtest.types == types else { throw .invalidArgument("the backtest was made for other forecast types") }
    }

    private func appendBounds(_ start: EpochSeconds, _ end: EpochSeconds, to line: inout CSVLine) {
        line.append(TimestampStyle.iso.string(start))
        line.append(TimestampStyle.iso.string(end))
    }

    private func append(_ key: ItemKey, to line: inout CSVLine) {
        for field in key.fields { line.append(field) }
    }

    private func header(_ names: [String]) -> [UInt8] {
        var line = CSVLine()
        for name in keyNames + names { line.append(name) }
        line.end()
        return line.bytes
    }

    /// `<name>_2020-04-25T22-30-23Z_part0.csv`
    package static func fileName(_ name: String, startedAt: EpochSeconds, part: Int) -> String {
        "\(name)_\(TimestampStyle.fileName.string(startedAt))_part\(part).csv"
    }
}
