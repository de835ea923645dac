package import AWSProtocol
package import Forecasting
package import TimeSeries

/// The sections of a forecast's manifest: what queries and exports need beside its records.
package struct ForecastManifest: Sendable, Equatable {
    /// Names of a key's fields, as the predictor has them.
    package var keyNames: [String]
    package var grid: TimeGrid
    package var types: [ForecastType]
    /// Steps of each series.
    package var horizon: Int
    package var series: Int

    package var sections: JSONObject {
        var settings: JSONObject = ["keyNames": .strings(keyNames)]
        grid.append(to: &settings)
        settings["types"] = .strings(types.map(\.description))
        settings["horizon"] = .int(Int64(horizon))
        return ["settings": .object(settings), "counts": ["series": .int(Int64(series))]]
    }

    package init(keyNames: [String], grid: TimeGrid, types: [ForecastType], horizon: Int, series: Int) {
        self.keyNames = keyNames
        self.grid = grid
        self.types = types
        self.horizon = horizon
        self.series = series
    }

    /// Throws `AWSError`, `TimeSeriesError` or `ForecastingError` where they are not what `sections` gives.
    package init(sections: JSONObject) throws {
        let settings = try sections.requiredObject("settings")
        keyNames = try settings.requiredStrings("keyNames")
        grid = try TimeGrid(settings: settings)
        types = try ForecastType.list(parsing: try settings.requiredStrings("types"))
        horizon = try settings.requiredInt("horizon")
        series = try sections.requiredObject("counts").requiredInt("series")
    }
}
