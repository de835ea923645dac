import Forecasting
import FoundationEssentials
import Pipelines
import TimeSeries

/// A document as the API signs it, of daily data.
func trainDocument(
    horizon: Int = 7, types: [String] = ["0.1", "0.5", "0.9"], dimensions: [String] = [],
    alignment: TrainDocument.Alignment? = nil, frequency: String = "D", windows: Int = 1, offset: Int? = nil,
    rule: String? = nil
) -> TrainDocument {
    TrainDocument(
        inputs: [], domain: "CUSTOM",
        schema: [
            .init(name: "region", type: "string"), .init(name: "item_id", type: "string"),
            .init(name: "store", type: "string"), .init(name: "timestamp", type: "timestamp"),
            .init(name: "target_value", type: "float"),
        ],
        dataFrequency: nil, forecastFrequency: frequency, horizon: horizon, forecastTypes: types, dimensions: dimensions,
        alignment: alignment, transformations: ["aggregation": "avg", "backfill": "value", "backfill_value": "2"],
        optimizationMetric: "WAPE", backtestWindows: windows, backtestOffset: offset ?? horizon, horizonRule: rule,
        output: ArtifactKey(
            resource: "arn:aws:forecast:us-west-2:123456789012:predictor/p", incarnation: UUID(),
            keyARN: "arn:aws:kms:us-west-2:123456789012:key/k", roleARN: nil))
}

/// So many days, one row each.
func days(_ count: Int) -> DataExtent {
    DataExtent(rows: count, earliest: 10_000 * 86_400, latest: Int64(10_000 + count - 1) * 86_400)
}

let week = [10.0, 12, 9, 14, 20, 25, 6]

/// Two series of four weeks, trained: what their records and metrics are made of.
func trainedSeries(_ settings: PredictorSettings, globalEnd: EpochSeconds) throws -> [TrainedSeries] {
    let trainer = SeriesTrainer(settings: settings, globalEnd: globalEnd)
    let last = settings.grid.index(of: globalEnd)
    return try ["a", "b"].enumerated().map { number, item in
        let values = (0..<56).map { week[$0 % 7] * Double(number + 1) + Double($0 % 3) }
        let series = Series(
            key: ItemKey(itemID: item), start: last - values.count + 1, values: values, observedCount: values.count)
        return try trainer.train(series) {}
    }
}
