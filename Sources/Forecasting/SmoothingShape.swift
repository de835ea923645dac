/// Which components an exponential-smoothing model has. All have additive errors; a multiplicative season is an additive one of logarithms.
struct SmoothingShape: Sendable, Hashable {
    enum Trend: UInt8, Sendable {
        case none = 0
        /// Follows the data and flattens out.
        case damped = 1
        /// Half the slope of a straight line through all values, fixed: with `none` of a season this is the Theta method.
        case drift = 2
    }
    enum Season: UInt8, Sendable {
        case none = 0
        case adaptive = 1
        /// As it was found at the start, and never changed.
        case fixed = 2
    }

    let trend: Trend
    let season: Season
    /// 1 without a season.
    let period: Int

    init(trend: Trend, season: Season = .none, period: Int = 1) {
        self.trend = trend
        self.season = period > 1 ? season : .none
        self.period = season == .none ? 1 : period
    }

    /// Parameters to search for: alpha, then beta and phi with a damped trend, gamma with an adaptive season.
    var parameterCount: Int { 1 + (trend == .damped ? 2 : 0) + (season == .adaptive ? 1 : 0) }
}

/// Smoothing parameters, each within its usual bounds. Source: Hyndman et al. 2008, chapter 2.
struct SmoothingParameters: Sendable, Hashable {
    var alpha: Double
    var beta = 0.0
    var gamma = 0.0
    var phi = 1.0

    /// From unbounded variables, so that the search cannot leave the bounds: 0 < beta < alpha < 1, 0 < gamma < 1 - alpha, 0.8 ≤ phi ≤ 0.98.
    init(_ free: [Double], _ shape: SmoothingShape) {
        alpha = 0.0001 + 0.9998 * Math.logistic(free[0])
        var next = 1
        if shape.trend == .damped {
            beta = alpha * Math.logistic(free[1])
            phi = 0.8 + 0.18 * Math.logistic(free[2])
            next = 3
        }
        if shape.season == .adaptive { gamma = (1 - alpha) * Math.logistic(free[next]) }
    }

    init(alpha: Double, beta: Double, gamma: Double, phi: Double) {
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.phi = phi
    }

    /// Where the search starts: alpha 0.3 (0.1 with a season), beta a tenth of it, gamma 0.05, phi 0.95.
    static func start(_ shape: SmoothingShape) -> [Double] {
        func logit(_ p: Double) -> Double { Math.log(p / (1 - p)) }
        var free = [logit(shape.season == .adaptive ? 0.15 : 0.3)]
        if shape.trend == .damped { free += [logit(0.1), logit(0.8)] }
        if shape.season == .adaptive { free.append(logit(0.08)) }
        return free
    }
}
