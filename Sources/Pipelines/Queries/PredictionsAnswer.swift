package import AWSProtocol
package import Forecasting
import TimeSeries

/// `Predictions` of QueryForecast: `{"p10": [{"Timestamp": "2015-01-01T01:00:00", "Value": 20.95}, …], …}`.
package enum PredictionsAnswer {
    /// Both ends are inclusive. Throws InvalidInputException where no point lies between them.
    package static func json(_ forecast: ForecastValues, start: Int64?, end: Int64?) throws -> JSONObject {
        let part = forecast.between(start, end)
        guard !part.timestamps.isEmpty else {
            let range = [forecast.timestamps.first, forecast.timestamps.last].compactMap { $0 }.map(TimestampStyle.iso.string)
            throw AWSError(
                code: "InvalidInputException",
                message: "StartDate, EndDate: the forecast goes from \(range.joined(separator: " to ")).")
        }
        return JSONObject(
            zip(part.types, part.values).map { type, values in
                let points = zip(part.timestamps, values).map { timestamp, value -> JSONValue in
                    ["Timestamp": .string(TimestampStyle.iso.string(timestamp)), "Value": .double(value)]
                }
                return (type.columnName, .array(points))
            })
    }
}
