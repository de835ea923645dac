package import TimeSeries

/// The models of one series, ready to forecast without its history.
///
/// Bytes, little-endian: version u8 = 1 · bounds f64 f64 · next grid index signed varint · horizon varint · components u8, each:
/// weight f64 · transform u8 · model u8 · model · scales f32 a step · shape f32 a knot. Model 0 (seasonal naive): varint period · f64 each.
/// Model 1 (smoothing): trend u8 · season u8 · varint period · alpha, beta, gamma, phi, level, trend f64 · varint phase · seasonal f64 each.
package struct FittedSeries: Sendable, Hashable {
    /// The grid index of the first step to forecast.
    package let next: Int
    /// The most steps that can be forecast.
    package let horizon: Int
    let ensemble: Ensemble

    /// One list of values a type, in the order of the types.
    package func forecast(types: [ForecastType], grid: TimeGrid) -> ForecastValues {
        let quantiles = ensemble.quantiles(types.compactMap(\.probability), horizon: horizon)
        let means = types.contains(.mean) ? ensemble.means(horizon: horizon) : []
        var place = 0
        let values = types.map { type in
            if type == .mean { return means }
            place += 1
            return quantiles[place - 1]
        }
        return ForecastValues(
            types: types, timestamps: (next..<next + horizon).map { grid.timestamp(at: $0) }, values: values)
    }

    /// Names of the models in use and their weights, for people: `ETS(A,Ad,A)[7] log 0.61`.
    package var summary: [String] {
        zip(ensemble.components, ensemble.weights).map { component, weight in
            "\(component.name) \((weight * 100).rounded() / 100)"
        }
    }
}

extension Component {
    var name: String {
        let suffix = transform == .logarithm ? " log" : ""
        switch model {
        case .seasonalNaive(let season): return season.count == 1 ? "naive" : "seasonal naive[\(season.count)]"
        case .smoothing(let shape, _, _):
            let trend = shape.trend == .none ? "N" : shape.trend == .damped ? "Ad" : "drift"
            let season = shape.season == .none ? "N" : shape.season == .fixed ? "fixed" : "A"
            return "ETS(A,\(trend),\(season))\(shape.period > 1 ? "[\(shape.period)]" : "")\(suffix)"
        }
    }
}
