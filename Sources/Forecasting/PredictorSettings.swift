package import TimeSeries

/// What a predictor is trained for. Bounds and defaults are those of CreateAutoPredictor and EvaluationParameters.
package struct PredictorSettings: Sendable, Hashable {
    package static let horizonLimit = 500
    package static let backtestWindowLimit = 5

    package let grid: TimeGrid
    /// Steps to forecast.
    package let horizon: Int
    package let types: [ForecastType]
    package let backtestWindows: Int
    /// Steps from the end of the data to the start of the latest backtest window.
    package let backtestOffset: Int
    package let metric: OptimizationMetric

    /// How long a horizon may be beside the target time series. Source: Amazon Forecast, CreateAutoPredictor and CreatePredictor.
    package enum HorizonRule: String, Sendable, Hashable {
        /// A quarter: predictors of CreateAutoPredictor.
        case autoPredictor
        /// A third: retrained predictors, and CreatePredictor with PerformAutoML.
        case retrainedOrAutoML
        /// One point less: CreatePredictor with one of the classical algorithms.
        case algorithm

        func longest(targetPoints: Int) -> Int {
            switch self {
            case .autoPredictor: targetPoints / 4
            case .retrainedOrAutoML: targetPoints / 3
            case .algorithm: targetPoints - 1
            }
        }
    }

    /// `targetPoints` is the length of the target time series: steps from its first to its last timestamp, both included; nil where
    /// the data are not known yet, which leaves only the bounds that hold for all. Throws `invalidArgument` naming the setting.
    package init(
        grid: TimeGrid, horizon: Int, types: [ForecastType] = ForecastType.defaults, backtestWindows: Int = 1,
        backtestOffset: Int? = nil, metric: OptimizationMetric = .averageWeightedQuantileLoss, targetPoints: Int? = nil,
        rule: HorizonRule = .autoPredictor
    ) throws(ForecastingError) {
        let longest = Self.longestHorizon(targetPoints: targetPoints, rule: rule)
        guard horizon >= 1, horizon <= longest else {
            throw .invalidArgument(
                longest <= 0
                    ? "the target time series is too short to forecast at the frequency \(grid.frequency)"
                    : "ForecastHorizon must be 1 to \(longest) for this target time series"
            )
        }
        guard (1...Self.backtestWindowLimit).contains(backtestWindows) else {
            throw .invalidArgument("NumberOfBacktestWindows must be 1 to \(Self.backtestWindowLimit)")
        }
        let offset = backtestOffset ?? horizon
        guard offset >= horizon else { throw .invalidArgument("BackTestWindowOffset must be at least ForecastHorizon") }
        if let targetPoints, offset * 2 >= targetPoints {
            throw .invalidArgument("BackTestWindowOffset must be less than half of the length of the target time series")
        }
        guard !types.isEmpty, types.count <= ForecastType.countLimit else {
            throw .invalidArgument("1 to \(ForecastType.countLimit) forecast types are allowed")
        }
        self.grid = grid
        self.horizon = horizon
        self.types = types
        self.backtestWindows = backtestWindows
        self.backtestOffset = offset
        self.metric = metric
    }

    /// 500, or what the rule allows where that is less.
    package static func longestHorizon(targetPoints: Int?, rule: HorizonRule = .autoPredictor) -> Int {
        min(horizonLimit, targetPoints.map(rule.longest) ?? horizonLimit)
    }

    /// The backtest windows for data that end at this timestamp, latest first: each starts a horizon before the one before it.
    package func windows(globalEnd: EpochSeconds) -> [BacktestWindow] {
        let last = grid.index(of: globalEnd)
        return (0..<backtestWindows).map { number in
            let start = last - backtestOffset + 1 - number * horizon
            return BacktestWindow(start: start, count: horizon, grid: grid)
        }
    }
}

/// A stretch at the end of the data that forecasts are compared with.
package struct BacktestWindow: Sendable, Hashable {
    /// The grid index of its first point.
    package let start: Int
    package let count: Int
    /// The timestamps of its first and its last point.
    package let startTime: EpochSeconds
    package let endTime: EpochSeconds

    init(start: Int, count: Int, grid: TimeGrid) {
        self.start = start
        self.count = count
        startTime = grid.timestamp(at: start)
        endTime = grid.timestamp(at: start + count - 1)
    }
}
