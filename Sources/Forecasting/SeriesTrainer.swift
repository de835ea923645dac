package import TimeSeries

/// Trains one series after the other: backtests, then the fit that forecasts come from.
///
/// Each backtest window is forecast by models that were chosen and fitted on what lies before it alone, so that its metrics are honest.
/// The same series and settings give the same bytes in any process.
package struct SeriesTrainer: Sendable {
    package let settings: PredictorSettings
    package let windows: [BacktestWindow]
    private let seasonality: Seasonality

    /// `globalEnd` is the latest timestamp of the whole dataset.
    package init(settings: PredictorSettings, globalEnd: EpochSeconds) {
        self.settings = settings
        windows = settings.windows(globalEnd: globalEnd)
        seasonality = Seasonality(settings.grid.frequency)
    }

    /// Rethrows what the checkpoint throws; throws nothing else.
    package func train(_ series: Series, checkpoint: @escaping Checkpoint) throws -> TrainedSeries {
        let fitter = SeriesFitter(
            series.values, horizon: settings.horizon, seasonality: seasonality, metric: settings.metric, checkpoint: checkpoint)
        var results: [BacktestValues.Window] = []
        var sums = AccuracySums(settings: settings, windows: windows)
        for (number, window) in windows.enumerated() {
            guard let result = try backtest(series, window, number: number, fitter) else { continue }
            sums.add(result, types: settings.types, window: number)
            results.append(result)
        }
        let fitted = FittedSeries(
            next: series.end, horizon: settings.horizon, ensemble: try fitter.ensemble(count: series.values.count))
        return TrainedSeries(
            fitted: fitted, backtest: BacktestValues(types: settings.types, windows: results), sums: sums)
    }

    /// nil where the series has nothing before the window, or a value missing in it: only complete items contribute.
    private func backtest(
        _ series: Series, _ window: BacktestWindow, number: Int, _ fitter: SeriesFitter
    ) throws -> BacktestValues.Window? {
        let count = window.start - series.start
        guard count > 0, count + window.count <= series.values.count else { return nil }
        let actual = Array(series.values[count..<count + window.count])
        guard !actual.contains(where: \.isNaN) else { return nil }
        let ensemble = try fitter.ensemble(count: count)
        let forecast = FittedSeries(next: window.start, horizon: window.count, ensemble: ensemble)
            .forecast(types: settings.types + [.mean], grid: settings.grid)
        return BacktestValues.Window(
            number: number, timestamps: forecast.timestamps, actual: actual,
            values: Array(forecast.values.dropLast()), means: forecast.values[settings.types.count],
            seasonalScale: Self.seasonalScale(series.values[..<count], period: seasonality.primary))
    }

    /// The mean step of the seasonal naive forecast over the history: what MASE divides by. nil where it is not defined.
    private static func seasonalScale(_ history: ArraySlice<Double>, period: Int) -> Double? {
        var sum = 0.0
        var seen = 0
        for index in history.indices.dropFirst(period) {
            let difference = abs(history[index] - history[index - period])
            if difference.isNaN { continue }
            sum += difference
            seen += 1
        }
        return seen > 0 && sum > 0 ? sum / Double(seen) : nil
    }
}

/// What training one series gives.
package struct TrainedSeries: Sendable {
    package let fitted: FittedSeries
    package let backtest: BacktestValues
    /// This series' part of the predictor's metrics.
    package let sums: AccuracySums
}
