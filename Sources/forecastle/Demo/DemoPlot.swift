import AWSProtocol
import Forecasting
import TimeSeries

/// History from the customer's file and predictions from QueryForecast as one plot.
enum DemoPlot {
    /// Points of the history that are shown: more would leave the forecast no room.
    static let historyMax = 84

    static func plot(
        _ item: String, _ points: [(timestamp: String, value: Double)], _ predictions: JSONObject
    ) throws -> ForecastPlot {
        let history = points.suffix(historyMax).compactMap { point in
            TimestampFormat.dateTime.seconds(point.timestamp).map { ForecastPlot.Point(time: $0, value: point.value) }
        }
        let types: [(String, ForecastType)] = [("p10", .quantile(10)), ("p50", .quantile(50)), ("p90", .quantile(90))]
        let values = types.map { name, _ in predictions[name]?.arrayValue?.compactMap { $0["Value"]?.doubleValue } ?? [] }
        let timestamps = (predictions["p50"]?.arrayValue ?? []).compactMap { point in
            point["Timestamp"]?.stringValue.flatMap { text in
                let parts = text.split(separator: "T")
                return parts.count == 2 ? TimestampFormat.dateTime.seconds("\(parts[0]) \(parts[1])") : nil
            }
        }
        guard !timestamps.isEmpty, values.allSatisfy({ $0.count == timestamps.count }) else {
            throw DemoFailure(description: "QueryForecast gave no whole forecast of \(item)")
        }
        return ForecastPlot(
            title: item, history: history,
            forecast: ForecastValues(types: types.map(\.1), timestamps: timestamps, values: values))
    }
}
