package import AWSProtocol
package import Forecasting
package import TimeSeries

/// The sections of a predictor's manifest: all that forecasts, exports and GetAccuracyMetrics need beside its records.
package struct PredictorManifest: Sendable, Equatable {
    /// Names of a key's fields: the item id, then the forecast's dimensions in schema order.
    package var keyNames: [String]
    package var settings: PredictorSettings
    package var transformations: TargetTransformations
    /// The latest timestamp of the data.
    package var globalEnd: EpochSeconds
    /// Series that were trained: one record each.
    package var series: Int
    /// `PredictorEvaluationResults` of GetAccuracyMetrics.
    package var evaluation: [JSONValue]

    package var sections: JSONObject {
        var settings: JSONObject = ["keyNames": .strings(keyNames)]
        self.settings.grid.append(to: &settings)
        settings["horizon"] = .int(Int64(self.settings.horizon))
        settings["types"] = .strings(self.settings.types.map(\.description))
        settings["backtestWindows"] = .int(Int64(self.settings.backtestWindows))
        settings["backtestOffset"] = .int(Int64(self.settings.backtestOffset))
        settings["metric"] = .string(self.settings.metric.rawValue)
        settings["transformations"] = .object(
            JSONObject(transformations.effectiveParameters.map { ($0.name, .string($0.value)) }))
        settings["globalEnd"] = .int(globalEnd)
        return [
            "settings": .object(settings), "counts": ["series": .int(Int64(series))], "evaluation": .array(evaluation),
        ]
    }

    package init(
        keyNames: [String], settings: PredictorSettings, transformations: TargetTransformations, globalEnd: EpochSeconds,
        series: Int, evaluation: [JSONValue]
    ) {
        self.keyNames = keyNames
        self.settings = settings
        self.transformations = transformations
        self.globalEnd = globalEnd
        self.series = series
        self.evaluation = evaluation
    }

    /// Throws `AWSError`, `TimeSeriesError` or `ForecastingError` where they are not what `sections` gives.
    package init(sections: JSONObject) throws {
        let settings = try sections.requiredObject("settings")
        keyNames = try settings.requiredStrings("keyNames")
        let metric = try settings.requiredString("metric")
        guard let metric = OptimizationMetric(rawValue: metric) else {
            throw ForecastingError.corruptedData("the predictor's metric is unknown")
        }
        self.settings = try PredictorSettings(
            grid: try TimeGrid(settings: settings), horizon: try settings.requiredInt("horizon"),
            types: try ForecastType.list(parsing: try settings.requiredStrings("types")),
            backtestWindows: try settings.requiredInt("backtestWindows"),
            backtestOffset: try settings.requiredInt("backtestOffset"), metric: metric)
        transformations = try TargetTransformations(parameters: try settings.optionalStringMap("transformations") ?? [:])
        globalEnd = EpochSeconds(try settings.requiredInt("globalEnd"))
        series = try sections.requiredObject("counts").requiredInt("series")
        evaluation = try sections.requiredArray("evaluation")
    }
}
