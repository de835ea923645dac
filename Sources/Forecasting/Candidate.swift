/// A model that could be fitted to a series.
struct Candidate: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case seasonalNaive(period: Int)
        case smoothing(SmoothingShape)
    }

    let kind: Kind
    let transform: Transform

    /// Forecast origins in the history that an error profile is made of.
    private static let originLimit = 150
    private static let shortSeason = 12

    /// What may fit a history of so many values, in a fixed order. The first always fits.
    static func all(count: Int, isPositive: Bool, seasonality: Seasonality) -> [Candidate] {
        let naivePeriods = Set([seasonality.primary, seasonality.secondary ?? 1]).filter { count > $0 }.sorted()
        var candidates = naivePeriods.map { Candidate(kind: .seasonalNaive(period: $0), transform: .identity) }
        if candidates.isEmpty { candidates = [Candidate(kind: .seasonalNaive(period: 1), transform: .identity)] }
        var shapes: [SmoothingShape] = []
        let seasons = [seasonality.primary, seasonality.secondary ?? 1].filter { $0 > 1 && count >= 3 * $0 }
        for period in seasons {
            shapes.append(SmoothingShape(trend: .none, season: .adaptive, period: period))
            shapes.append(SmoothingShape(trend: .damped, season: .adaptive, period: period))
            shapes.append(SmoothingShape(trend: .drift, season: .fixed, period: period))
        }
        // What repeats every few steps may be chance, so models without a season compete; a day of hours hardly is.
        if seasons.isEmpty || seasonality.primary <= shortSeason {
            shapes += [SmoothingShape(trend: .none), SmoothingShape(trend: .damped), SmoothingShape(trend: .drift)]
        }
        for shape in shapes where SmoothingFit.canFit(shape, count: count) {
            candidates.append(Candidate(kind: .smoothing(shape), transform: .identity))
            if isPositive, shape.season != .none || shape.trend == .damped {
                candidates.append(Candidate(kind: .smoothing(shape), transform: .logarithm))
            }
        }
        return candidates
    }

    func fit(_ history: [Double], horizon: Int, checkpoint: Checkpoint) throws -> Component {
        switch kind {
        case .seasonalNaive(let period): return naive(history, period, horizon)
        case .smoothing(let shape):
            let fit = try SmoothingFit(transform.apply(history), shape, checkpoint: checkpoint)
            try checkpoint()
            let profile = Self.profile(of: fit, horizon)
            return Component(model: .smoothing(shape, fit.parameters, fit.end), transform: transform, profile: profile)
        }
    }

    private func naive(_ history: [Double], _ period: Int, _ horizon: Int) -> Component {
        let recent = interpolated(history.suffix(max(SmoothingFit.historyLimit, 8 * period))[...])
        let raw = Array(history.suffix(recent.count))
        let season = (0..<period).map { place in
            // A value that is missing is that of the season before, if there is one.
            var index = raw.count - period + place
            while index >= 0, raw[index].isNaN { index -= period }
            return index >= 0 ? raw[index] : recent[recent.count - period + place]
        }
        let origins = Self.origins(from: period, to: raw.count - 1)
        var errors = [[Double]](repeating: [], count: horizon)
        for origin in origins {
            for step in 0..<min(horizon, raw.count - origin) where !raw[origin + step].isNaN {
                errors[step].append(raw[origin + step] - recent[origin - period + step % period])
            }
        }
        let theory = (0..<horizon).map { Double($0 / period + 1) }
        return Component(
            model: .seasonalNaive(lastSeason: season), transform: .identity,
            profile: ErrorProfile(errors: errors, theory: theory, origins: origins.count))
    }

    private static func profile(of fit: SmoothingFit, _ horizon: Int) -> ErrorProfile {
        let origins = Set(origins(from: min(fit.values.count / 4, 2 * fit.shape.period + 3), to: fit.values.count - 1))
        var errors = [[Double]](repeating: [], count: horizon)
        _ = fit.start.running(over: fit.values, fit.parameters) { origin, state in
            guard origins.contains(origin) else { return }
            for (step, point) in state.points(min(horizon, fit.values.count - origin), fit.parameters).enumerated()
            where !fit.values[origin + step].isNaN {
                errors[step].append(fit.values[origin + step] - point)
            }
        }
        let theory = SmoothingState.varianceFactors(horizon, fit.parameters, period: fit.shape.period)
        return ErrorProfile(errors: errors, theory: theory, origins: origins.count)
    }

    /// Evenly spaced places in a history, the last one included.
    private static func origins(from first: Int, to last: Int) -> [Int] {
        guard first <= last else { return [] }
        let stride = max((last - first + 1) / originLimit, 1)
        return Swift.stride(from: last, through: first, by: -stride).reversed()
    }
}
