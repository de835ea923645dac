package import TimeSeries

/// The accuracy of a predictor over one stretch of time. nil stands for a metric that is not defined there.
///
/// Source: Amazon Forecast developer guide, "Evaluating Predictor Accuracy". The factor 2 in wQL makes wQL[0.5] the WAPE of the median.
package struct WindowMetrics: Sendable, Hashable {
    package struct PointErrors: Sendable, Hashable {
        package let type: ForecastType
        package let wape: Double?
        package let rmse: Double?
        package let mase: Double?
        package let mape: Double?
    }

    package struct QuantileLoss: Sendable, Hashable {
        package let type: ForecastType
        package let loss: Double?
    }

    package let startTime: EpochSeconds
    package let endTime: EpochSeconds
    /// Series that took part.
    package let itemCount: Int
    package let pointCount: Int
    /// wQL of each quantile, in the order of the forecast types; the mean has none.
    package let quantileLosses: [QuantileLoss]
    package let averageQuantileLoss: Double?
    /// Of the mean forecast: what WAPE, RMSE, MASE and MAPE of a predictor are.
    package let meanErrors: PointErrors
    /// Of each forecast type.
    package let errors: [PointErrors]

    init(types: [ForecastType], startTime: EpochSeconds, endTime: EpochSeconds, sums: WindowSums) {
        self.startTime = startTime
        self.endTime = endTime
        itemCount = sums.itemCount
        pointCount = sums.pointCount
        quantileLosses = types.enumerated().filter { $0.element != .mean }.map { index, type in
            QuantileLoss(type: type, loss: Self.weighted(sums.quantileLosses[index], sums))
        }
        averageQuantileLoss = meanOfDefined(quantileLosses.map(\.loss))
        meanErrors = Self.point(.mean, sums.meanErrors, sums)
        errors = types.enumerated().map { Self.point($1, sums.errors[$0], sums) }
    }

    /// The average over windows; a metric is left out of it where it is not defined.
    init(averaging windows: [WindowMetrics]) {
        startTime = windows.map(\.startTime).min() ?? 0
        endTime = windows.map(\.endTime).max() ?? 0
        itemCount = windows.map(\.itemCount).max() ?? 0
        pointCount = windows.reduce(0) { $0 + $1.pointCount }
        let first = windows.first
        quantileLosses = (first?.quantileLosses ?? []).indices.map { index in
            QuantileLoss(
                type: windows[0].quantileLosses[index].type,
                loss: meanOfDefined(windows.map { $0.quantileLosses[index].loss }))
        }
        averageQuantileLoss = meanOfDefined(windows.map(\.averageQuantileLoss))
        meanErrors = Self.average(windows.map(\.meanErrors))
        errors = (first?.errors ?? []).indices.map { index in Self.average(windows.map { $0.errors[index] }) }
    }

    /// Divided by the sum of what was observed; the sum alone where that is about zero; nothing without points.
    private static func weighted(_ sum: Double, _ sums: WindowSums) -> Double? {
        sums.pointCount > 0 ? finite(sums.absoluteActual > 1e-12 ? sum / sums.absoluteActual : sum) : nil
    }

    /// Values near the largest double overflow the sums; JSON knows no infinity.
    private static func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }

    private static func point(_ type: ForecastType, _ errors: ErrorSums, _ sums: WindowSums) -> PointErrors {
        PointErrors(
            type: type, wape: weighted(errors.absolute, sums),
            rmse: sums.pointCount > 0 ? finite((errors.squared / Double(sums.pointCount)).squareRoot()) : nil,
            mase: errors.scaledCount > 0 ? finite(errors.scaled / Double(errors.scaledCount)) : nil,
            mape: errors.percentageCount > 0 ? finite(errors.percentage / Double(errors.percentageCount)) : nil)
    }

    private static func average(_ errors: [PointErrors]) -> PointErrors {
        PointErrors(
            type: errors.first?.type ?? .mean, wape: meanOfDefined(errors.map(\.wape)),
            rmse: meanOfDefined(errors.map(\.rmse)), mase: meanOfDefined(errors.map(\.mase)),
            mape: meanOfDefined(errors.map(\.mape)))
    }
}

/// Of the values that are defined; nil without one.
func meanOfDefined(_ values: [Double?]) -> Double? {
    let defined = values.compactMap { $0 }
    return defined.isEmpty ? nil : defined.reduce(0, +) / Double(defined.count)
}

/// What GetAccuracyMetrics answers: each window, and their average.
package struct AccuracyReport: Sendable, Hashable {
    /// Latest first.
    package let windows: [WindowMetrics]
    package let summary: WindowMetrics

    init(types: [ForecastType], windows: [BacktestWindow], sums: [WindowSums]) {
        self.windows = zip(windows, sums).map { window, sums in
            WindowMetrics(types: types, startTime: window.startTime, endTime: window.endTime, sums: sums)
        }
        summary = WindowMetrics(averaging: self.windows)
    }
}
