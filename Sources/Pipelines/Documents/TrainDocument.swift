/// The signed document of a training job.
package struct TrainDocument: Codable, Sendable, Hashable {
    /// Where time buckets begin, as `TimeAlignmentBoundary` of the API.
    package struct Alignment: Codable, Sendable, Hashable {
        package var month: String?
        package var dayOfMonth: Int?
        package var dayOfWeek: String?
        package var hour: Int?

        package init(month: String? = nil, dayOfMonth: Int? = nil, dayOfWeek: String? = nil, hour: Int? = nil) {
            self.month = month
            self.dayOfMonth = dayOfMonth
            self.dayOfWeek = dayOfWeek
            self.hour = hour
        }
    }

    /// The imports in effect, in the order in which they were made.
    package var inputs: [ArtifactInput]
    package var domain: String
    package var schema: [ImportDocument.Attribute]
    /// The dataset's own frequency, where it was given.
    package var dataFrequency: String?
    package var forecastFrequency: String
    package var horizon: Int
    /// `0.1`, `0.5`, `0.9`, `mean`, in the order of the request.
    package var forecastTypes: [String]
    /// Columns besides the item id that tell series apart.
    package var dimensions: [String]
    package var alignment: Alignment?
    /// `aggregation`, `frontfill`, `middlefill`, `backfill` and their `_value`s for the target, defaults filled in.
    package var transformations: [String: String]
    package var optimizationMetric: String
    package var backtestWindows: Int
    package var backtestOffset: Int
    /// `autoPredictor`, `retrainedOrAutoML` or `algorithm`: how long the horizon may be beside the data; nil for the first.
    package var horizonRule: String?
    package var output: ArtifactKey

    package init(
        inputs: [ArtifactInput], domain: String, schema: [ImportDocument.Attribute], dataFrequency: String?,
        forecastFrequency: String, horizon: Int, forecastTypes: [String], dimensions: [String], alignment: Alignment?,
        transformations: [String: String], optimizationMetric: String, backtestWindows: Int, backtestOffset: Int,
        horizonRule: String? = nil, output: ArtifactKey
    ) {
        self.inputs = inputs
        self.domain = domain
        self.schema = schema
        self.dataFrequency = dataFrequency
        self.forecastFrequency = forecastFrequency
        self.horizon = horizon
        self.forecastTypes = forecastTypes
        self.dimensions = dimensions
        self.alignment = alignment
        self.transformations = transformations
        self.optimizationMetric = optimizationMetric
        self.backtestWindows = backtestWindows
        self.backtestOffset = backtestOffset
        self.horizonRule = horizonRule
        self.output = output
    }
}
