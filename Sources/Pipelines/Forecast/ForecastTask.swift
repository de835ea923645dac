/// The part of a forecast task: one chunk of the predictor. JSON of the task; no value from the data.
struct ForecastTask: Codable, Sendable, Hashable {
    /// Its place in the predictor's manifest.
    var chunk: Int
}
