import AWSProtocol
package import Forecasting
import Jobs
package import TimeSeries

/// What the document of a training job says, in the types of the rooms that train.
package struct TrainingTerms: Sendable {
    package let layout: DatasetLayout
    package let dimensions: [String]
    package let grid: TimeGrid
    package let transformations: TargetTransformations
    private let horizon: Int
    private let types: [ForecastType]
    private let metric: OptimizationMetric
    private let backtestWindows: Int
    private let backtestOffset: Int
    private let rule: PredictorSettings.HorizonRule

    /// Throws what the rooms throw where the document names what they don't have.
    package init(_ document: TrainDocument) throws {
        guard let domain = Domain(rawValue: document.domain) else {
            throw JobError.final("The dataset has a domain that this version does not know.")
        }
        guard let metric = OptimizationMetric(rawValue: document.optimizationMetric) else {
            throw JobError.final("OptimizationMetric is none that this version knows.")
        }
        layout = try DatasetLayout(
            domain: domain, type: .targetTimeSeries, schema: try [ImportDocument.Attribute].schema(document.schema))
        dimensions = document.dimensions
        let frequency = try Frequency(parsing: document.forecastFrequency)
        let alignment = document.alignment
        grid = TimeGrid(
            frequency: frequency,
            boundary: try TimeAlignmentBoundary(
                month: alignment?.month, dayOfMonth: alignment?.dayOfMonth, dayOfWeek: alignment?.dayOfWeek,
                hour: alignment?.hour, for: frequency))
        transformations = try TargetTransformations(parameters: document.transformations)
        horizon = document.horizon
        types = try ForecastType.list(parsing: document.forecastTypes)
        self.metric = metric
        backtestWindows = document.backtestWindows
        backtestOffset = document.backtestOffset
        rule = try document.rule
    }

    /// Names of the fields of a series' key: the item id, then the forecast's dimensions in schema order.
    package var keyNames: [String] {
        layout.keyNames.enumerated().filter { $0.offset == 0 || dimensions.contains($0.element) }.map(\.element)
    }

    /// The settings for data of this extent. Throws `JobError.final`, naming the setting that the data are too short for.
    package func settings(for extent: DataExtent) throws -> PredictorSettings {
        do {
            return try PredictorSettings(
                grid: grid, horizon: horizon, types: types, backtestWindows: backtestWindows, backtestOffset: backtestOffset,
                metric: metric, targetPoints: grid.steps(from: extent.earliest, to: extent.latest) + 1, rule: rule)
        } catch {
            throw JobError.final(
                "\(error.message). Import a longer history, or ask for a shorter horizon or a finer frequency.", cause: error)
        }
    }
}

extension TrainDocument {
    var rule: PredictorSettings.HorizonRule {
        get throws {
            guard let horizonRule else { return .autoPredictor }
            guard let rule = PredictorSettings.HorizonRule(rawValue: horizonRule) else {
                throw JobError.final("The job's document can't be read by this version.")
            }
            return rule
        }
    }
}
