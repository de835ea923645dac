import TimeSeries

/// Chooses, for one series, how much each candidate model counts, by forecasts made at earlier origins of the history that is given.
///
/// Backtests give it shorter histories of the same series: fits are kept by the length of history, so that none is made twice.
/// Nothing after the end of the history given is looked at. Not `Sendable`: one series, one owner.
final class SeriesFitter {
    /// Earlier origins that candidates are judged at.
    private static let validationWindows = 4
    /// The best of the candidates are kept; more would only add those that did worse.
    private static let componentLimit = 3
    /// Weights fall with this power of the loss.
    private static let lossPower = 4.0

    private let values: [Double]
    private let horizon: Int
    private let seasonality: Seasonality
    private let metric: OptimizationMetric
    private let checkpoint: Checkpoint
    private var fits: [Int: [Candidate: Component]] = [:]

    /// `values` start with an observed one; NaN where missing.
    init(
        _ values: [Double], horizon: Int, seasonality: Seasonality, metric: OptimizationMetric, checkpoint: @escaping Checkpoint
    ) {
        self.values = values
        self.horizon = horizon
        self.seasonality = seasonality
        self.metric = metric
        self.checkpoint = checkpoint
    }

    /// The ensemble for the first `count` values.
    func ensemble(count: Int) throws -> Ensemble {
        let history = values[..<count]
        let observed = history.lazy.filter { !$0.isNaN }
        let bounds = Ensemble.bounds(of: history)
        let windows = validationCutoffs(count)
        let candidates = Candidate.all(
            count: windows.cutoffs.last ?? count, isPositive: observed.allSatisfy { $0 > 0 }, seasonality: seasonality)
        let losses = try windows.cutoffs.map { try self.losses(candidates, cutoff: $0, steps: windows.steps) }
        let weighted = Self.weights(candidates, losses)
        let components = try weighted.map { try component($0.candidate, count: count) }
        return Ensemble(
            components: components, weights: weighted.map(\.weight), bounds: bounds)
    }

    /// Lengths of history to validate at, latest first, and how many steps each is judged by. None where the history is too short.
    private func validationCutoffs(_ count: Int) -> (cutoffs: [Int], steps: Int) {
        let steps = min(horizon, count / 4)
        guard steps > 0 else { return ([], 0) }
        let least = max(3, min(2 * seasonality.primary + 1, count / 2))
        let cutoffs = (1...Self.validationWindows).map { count - $0 * steps }.filter { $0 >= least }
        return (cutoffs, steps)
    }

    private func losses(_ candidates: [Candidate], cutoff: Int, steps: Int) throws -> [Double?] {
        try candidates.map { candidate in
            let component = try component(candidate, count: cutoff)
            let single = Ensemble(components: [component], weights: [1], bounds: Ensemble.bounds(of: values[..<cutoff]))
            let forecast = single.quantiles(OptimizationMetric.probabilities, horizon: steps)
            var sum = 0.0
            var seen = 0
            for step in 0..<steps where !values[cutoff + step].isNaN {
                sum += metric.loss(
                    actual: values[cutoff + step], (forecast[0][step], forecast[1][step], forecast[2][step]))
                seen += 1
            }
            return seen > 0 && sum.isFinite ? sum / Double(seen) : nil
        }
    }

    private func component(_ candidate: Candidate, count: Int) throws -> Component {
        if let known = fits[count]?[candidate] { return known }
        try checkpoint()
        let component = try candidate.fit(Array(values[..<count]), horizon: horizon, checkpoint: checkpoint)
        fits[count, default: [:]][candidate] = component
        return component
    }

    private static func weights(_ candidates: [Candidate], _ losses: [[Double?]]) -> [(candidate: Candidate, weight: Double)] {
        var scores: [(index: Int, loss: Double)] = []
        for index in candidates.indices {
            let seen = losses.compactMap { $0[index] }
            if !seen.isEmpty { scores.append((index, seen.reduce(0, +) / Double(seen.count))) }
        }
        // Without a place to validate, all candidates count alike.
        guard !scores.isEmpty else { return candidates.map { ($0, 1 / Double(candidates.count)) } }
        scores.sort { ($0.loss, $0.index) < ($1.loss, $1.index) }
        let least = 1e-12
        let best = max(scores[0].loss, least)
        let kept = scores.prefix(componentLimit).map { score in
            (candidate: candidates[score.index], weight: Math.exp(-lossPower * Math.log(max(score.loss, least) / best)))
        }
        let total = kept.reduce(0) { $0 + $1.weight }
        return kept.map { ($0.candidate, $0.weight / total) }
    }
}
