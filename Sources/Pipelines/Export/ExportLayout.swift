package import Forecasting
package import TimeSeries

/// Which files a part of an export has, and the rows of a record in each.
package struct ExportLayout: Sendable {
    package struct File: Sendable {
        /// Folder below the destination's path, with its slash; empty for none.
        package var folder: String
        package var header: [UInt8]
        package var rows: @Sendable (ItemKey, [UInt8]) throws -> [UInt8]
    }

    package var sourceKind: ChunkKind
    package var files: [File]

    /// `<Path>/<name>_<time>_part<N>.csv`
    package static func forecast(_ format: ExportFormat) -> ExportLayout {
        ExportLayout(
            sourceKind: .forecastValues,
            files: [
                File(folder: "", header: format.forecastHeader) { key, payload in
                    try format.forecastLines(key, try ForecastValues(decoding: payload))
                }
            ])
    }

    /// Folders of a backtest's files below the destination's path.
    package static let backtestFolders = (values: "forecasted-values/", metrics: "accuracy-metrics-values/")

    /// `<Path>/forecasted-values/…` and `<Path>/accuracy-metrics-values/…`
    package static func backtest(_ format: ExportFormat) -> ExportLayout {
        ExportLayout(
            sourceKind: .fittedSeries,
            files: [
                File(folder: backtestFolders.values, header: format.forecastedValuesHeader) { key, payload in
                    try format.forecastedValuesLines(key, PredictorRecord.backtestValues(in: payload))
                },
                File(folder: backtestFolders.metrics, header: format.accuracyMetricsHeader) { key, payload in
                    try format.accuracyMetricsLines(key, PredictorRecord.backtestValues(in: payload))
                },
            ])
    }

    /// Behind the name of a file that is a message.
    package static let sealedEnding = ".encrypted"

    /// Key of a file below the destination's path; a message has `.encrypted` behind its documented name.
    package func name(_ file: Int, part: Int, document: ExportDocument) -> String {
        let name = ExportFormat.fileName(document.name, startedAt: document.acceptedAt, part: part)
        return files[file].folder + name + (document.output == nil ? "" : Self.sealedEnding)
    }

    /// The place of a file among all files of the export, part of its encryption context.
    package func ordinal(_ file: Int, part: Int) -> Int { part * files.count + file }
}
