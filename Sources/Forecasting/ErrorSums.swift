/// The sums that the point metrics of one forecast type are made of. They add up over items and tasks.
package struct ErrorSums: Sendable, Hashable {
    var absolute = 0.0
    var squared = 0.0
    /// |(A − F) / A|, of points whose A is not zero.
    var percentage = 0.0
    var percentageCount = 0
    /// MASE of each item that has one.
    var scaled = 0.0
    var scaledCount = 0

    mutating func add(actual: [Double], forecast: [Double], seasonalScale: Double?) {
        var itemAbsolute = 0.0
        for (a, f) in zip(actual, forecast) {
            itemAbsolute += abs(a - f)
            squared += (a - f) * (a - f)
            if a != 0 {
                percentage += abs((a - f) / a)
                percentageCount += 1
            }
        }
        absolute += itemAbsolute
        if let seasonalScale, !actual.isEmpty {
            scaled += itemAbsolute / Double(actual.count) / seasonalScale
            scaledCount += 1
        }
    }

    mutating func merge(_ other: ErrorSums) {
        absolute += other.absolute
        squared += other.squared
        percentage += other.percentage
        percentageCount += other.percentageCount
        scaled += other.scaled
        scaledCount += other.scaledCount
    }
}

/// The sums of one backtest window.
package struct WindowSums: Sendable, Hashable {
    package var itemCount = 0
    package var pointCount = 0
    var absoluteActual = 0.0
    /// Twice the quantile loss, one for each forecast type; 0 for the mean.
    var quantileLosses: [Double]
    /// One for each forecast type.
    var errors: [ErrorSums]
    /// Of the mean forecast.
    var meanErrors = ErrorSums()

    init(typeCount: Int) {
        quantileLosses = [Double](repeating: 0, count: typeCount)
        errors = [ErrorSums](repeating: ErrorSums(), count: typeCount)
    }

    mutating func add(_ window: BacktestValues.Window, types: [ForecastType]) {
        itemCount += 1
        pointCount += window.actual.count
        absoluteActual += window.actual.reduce(0) { $0 + abs($1) }
        for (index, type) in types.enumerated() {
            if let probability = type.probability {
                for (a, f) in zip(window.actual, window.values[index]) { quantileLosses[index] += 2 * pinball(a, f, probability) }
            }
            errors[index].add(actual: window.actual, forecast: window.values[index], seasonalScale: window.seasonalScale)
        }
        meanErrors.add(actual: window.actual, forecast: window.means, seasonalScale: window.seasonalScale)
    }

    mutating func merge(_ other: WindowSums) {
        itemCount += other.itemCount
        pointCount += other.pointCount
        absoluteActual += other.absoluteActual
        for index in quantileLosses.indices {
            quantileLosses[index] += other.quantileLosses[index]
            errors[index].merge(other.errors[index])
        }
        meanErrors.merge(other.meanErrors)
    }
}
