/// The signed document of a forecast job: the predictor's artifact in, the forecast's out, both under the predictor's key.
package struct ForecastDocument: Codable, Sendable, Hashable {
    package var predictor: ArtifactInput
    /// `0.1`, `0.5`, `0.9`, `mean`, in the order of the request.
    package var forecastTypes: [String]
    package var output: ArtifactKey

    package init(predictor: ArtifactInput, forecastTypes: [String], output: ArtifactKey) {
        self.predictor = predictor
        self.forecastTypes = forecastTypes
        self.output = output
    }
}
