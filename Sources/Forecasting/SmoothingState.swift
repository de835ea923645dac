/// Level, trend and season of an exponential-smoothing model at one time.
struct SmoothingState: Sendable, Hashable {
    var level: Double
    var trend: Double
    /// `seasonal[phase]` belongs to the next step; empty without a season.
    var seasonal: [Double]
    var phase = 0

    /// Forecasts of the next steps.
    func points(_ horizon: Int, _ parameters: SmoothingParameters) -> [Double] {
        var points: [Double] = []
        points.reserveCapacity(horizon)
        var level = level
        var trend = trend
        var place = phase
        for _ in 0..<horizon {
            trend *= parameters.phi
            level += trend
            if seasonal.isEmpty {
                points.append(level)
            } else {
                points.append(level + seasonal[place])
                place = place + 1 == seasonal.count ? 0 : place + 1
            }
        }
        return points
    }

    /// How far a shock of one step carries: the variance of the forecast `step` ahead, in units of the one-step variance (class 1 of
    /// Hyndman et al. 2008, chapter 6).
    static func varianceFactors(_ horizon: Int, _ parameters: SmoothingParameters, period: Int) -> [Double] {
        var factors: [Double] = []
        factors.reserveCapacity(horizon)
        var sum = 1.0
        var damping = 0.0
        var power = 1.0
        for step in 1...max(horizon, 1) {
            factors.append(sum)
            power *= parameters.phi
            damping += power
            let weight =
                parameters.alpha + parameters.beta * damping + (period > 1 && step % period == 0 ? parameters.gamma : 0)
            sum += weight * weight
        }
        return factors
    }

    /// Runs over values (NaN where missing), calling `visit` before each step with the state that forecasts it; gives the state after the last.
    func running(
        over values: [Double], _ parameters: SmoothingParameters, visit: (_ step: Int, _ before: SmoothingState) -> Void
    ) -> SmoothingState {
        var state = self
        for (step, value) in values.enumerated() {
            visit(step, state)
            state.trend *= parameters.phi
            state.level += state.trend
            if !value.isNaN {
                let error = value - state.level - (seasonal.isEmpty ? 0 : state.seasonal[state.phase])
                state.level += parameters.alpha * error
                state.trend += parameters.beta * error
                if !seasonal.isEmpty { state.seasonal[state.phase] += parameters.gamma * error }
            }
            if !seasonal.isEmpty { state.phase = state.phase + 1 == seasonal.count ? 0 : state.phase + 1 }
        }
        return state
    }

    /// The sum of squared one-step errors: the inner loop of every fit.
    func squaredErrors(over values: [Double], _ parameters: SmoothingParameters) -> Double {
        var level = level
        var trend = trend
        var sum = 0.0
        let (alpha, beta, gamma, phi) = (parameters.alpha, parameters.beta, parameters.gamma, parameters.phi)
        var seasonal = seasonal
        return values.withUnsafeBufferPointer { values in
            if seasonal.isEmpty {
                for value in values {
                    trend *= phi
                    level += trend
                    let error = value - level
                    if error.isNaN { continue }
                    level += alpha * error
                    trend += beta * error
                    sum += error * error
                }
                return sum
            }
            return seasonal.withUnsafeMutableBufferPointer { seasonal in
                var place = phase
                for value in values {
                    trend *= phi
                    level += trend
                    let error = value - level - seasonal[place]
                    if !error.isNaN {
                        level += alpha * error
                        trend += beta * error
                        seasonal[place] += gamma * error
                        sum += error * error
                    }
                    place += 1
                    if place == seasonal.count { place = 0 }
                }
                return sum
            }
        }
    }
}
