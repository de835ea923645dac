/// What the choice of models is judged by. Source: Amazon Forecast, OptimizationMetric.
package enum OptimizationMetric: String, Sendable, Hashable, CaseIterable {
    case averageWeightedQuantileLoss = "AverageWeightedQuantileLoss"
    case wape = "WAPE"
    case rmse = "RMSE"
    case mase = "MASE"
    case mape = "MAPE"

    /// The probabilities of the forecasts that `loss` takes.
    static let probabilities = [0.1, 0.5, 0.9]

    /// The loss of one forecast; comparable between the models of one series only.
    func loss(actual: Double, _ forecast: (low: Double, median: Double, high: Double)) -> Double {
        switch self {
        case .averageWeightedQuantileLoss:
            pinball(actual, forecast.low, 0.1) + pinball(actual, forecast.median, 0.5) + pinball(actual, forecast.high, 0.9)
        case .wape, .mase: abs(actual - forecast.median)
        case .rmse: (actual - forecast.median) * (actual - forecast.median)
        case .mape: actual == 0 ? 0 : abs((actual - forecast.median) / actual)
        }
    }
}

/// The quantile loss: the probability above the forecast, its complement below.
@inline(__always)
func pinball(_ actual: Double, _ forecast: Double, _ probability: Double) -> Double {
    actual >= forecast ? probability * (actual - forecast) : (1 - probability) * (forecast - actual)
}
