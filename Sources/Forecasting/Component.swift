/// One fitted model of a series: enough to forecast without the history.
struct Component: Sendable, Hashable {
    enum Model: Sendable, Hashable {
        /// The last season, repeated.
        case seasonalNaive(lastSeason: [Double])
        case smoothing(SmoothingShape, SmoothingParameters, SmoothingState)
    }

    let model: Model
    let transform: Transform
    let profile: ErrorProfile

    /// Point forecasts on the model's own scale.
    func points(_ horizon: Int) -> [Double] {
        switch model {
        case .seasonalNaive(let season): (0..<horizon).map { season[$0 % season.count] }
        case .smoothing(_, let parameters, let state): state.points(horizon, parameters)
        }
    }
}
