/// Fits an exponential-smoothing model: starting state from the first values, parameters by least squares of one-step errors.
struct SmoothingFit: Sendable {
    /// Longer histories are cut to their latest part: it decides the forecast, and the cost of a fit stays bounded.
    static let historyLimit = 2016
    private static let evaluationsPerParameter = 60

    let shape: SmoothingShape
    let parameters: SmoothingParameters
    /// The state before the first of `values`.
    let start: SmoothingState
    /// The state after the last.
    let end: SmoothingState
    /// The values fitted, NaN where missing.
    let values: [Double]

    static func canFit(_ shape: SmoothingShape, count: Int) -> Bool {
        count >= max(shape.season == .none ? 3 : 2 * shape.period + 1, shape.parameterCount + 3)
    }

    init(_ history: [Double], _ shape: SmoothingShape, checkpoint: Checkpoint) throws {
        self.shape = shape
        let limit = max(Self.historyLimit, 8 * shape.period)
        let values = Array(history.suffix(limit))
        self.values = values
        let start = Self.start(values, shape)
        self.start = start
        try checkpoint()
        let search = NelderMead(evaluationLimit: Self.evaluationsPerParameter * shape.parameterCount)
        let free = search.minimize(from: SmoothingParameters.start(shape), step: 1) { free in
            let errors = start.squaredErrors(over: values, SmoothingParameters(free, shape))
            return errors.isFinite ? errors : .greatestFiniteMagnitude
        }
        parameters = SmoothingParameters(free, shape)
        end = start.running(over: values, parameters) { _, _ in }
    }

    private static func start(_ values: [Double], _ shape: SmoothingShape) -> SmoothingState {
        var filled = interpolated(values[...])
        var seasonal: [Double] = []
        if shape.season != .none {
            seasonal = SeasonalDecomposition(filled, period: shape.period).indices
            for index in filled.indices { filled[index] -= seasonal[index % shape.period] }
        }
        let head = Array(filled.prefix(max(10, 2 * shape.period)))
        switch shape.trend {
        case .none:
            return SmoothingState(level: head.reduce(0, +) / Double(head.count), trend: 0, seasonal: seasonal)
        case .damped:
            let line = Line(head)
            return SmoothingState(level: line.intercept, trend: line.slope, seasonal: seasonal)
        case .drift:
            let slope = Line(filled).slope / 2
            let level = head.prefix(4).reduce(0, +) / Double(min(head.count, 4))
            return SmoothingState(level: level - slope, trend: slope, seasonal: seasonal)
        }
    }
}

/// A straight line by least squares; x counts from 1, so that the intercept lies one step before the first value.
struct Line {
    let intercept: Double
    let slope: Double

    init(_ values: [Double]) {
        let count = Double(values.count)
        let meanX = (count + 1) / 2
        let meanY = values.reduce(0, +) / count
        var covariance = 0.0
        for (index, value) in values.enumerated() { covariance += (Double(index + 1) - meanX) * (value - meanY) }
        let variance = count * (count * count - 1) / 12
        slope = variance > 0 ? covariance / variance : 0
        intercept = meanY - slope * meanX
    }
}
