package import Forecasting
package import TimeSeries

/// What a predictor keeps of one series: models to forecast with, and what was forecast in the backtests.
///
/// Bytes: varint length of the fitted series · `FittedSeries.encoded` · `BacktestValues.encoded`. It is the payload of a record
/// in a chunk of kind `fittedSeries`.
package struct PredictorRecord {
    /// Both are valid only while the payload is.
    package let fitted: UnsafeRawBufferPointer
    package let backtest: UnsafeRawBufferPointer

    package init(decoding payload: UnsafeRawBufferPointer) throws(TimeSeriesError) {
        var reader = ByteReader(payload)
        fitted = try reader.readPrefixed()
        backtest = try reader.readRaw(reader.remaining)
    }

    package static func encoded(fitted: FittedSeries, backtest: BacktestValues) -> [UInt8] {
        let (fitted, backtest) = (fitted.encoded, backtest.encoded)
        var writer = ByteWriter(reserving: fitted.count + backtest.count + 4)
        writer.appendPrefixed(fitted)
        writer.append(raw: backtest)
        return writer.bytes
    }

    package static func fittedSeries(in payload: [UInt8]) throws -> FittedSeries {
        try payload.withUnsafeBytes { try FittedSeries(decoding: try PredictorRecord(decoding: $0).fitted) }
    }

    package static func backtestValues(in payload: [UInt8]) throws -> BacktestValues {
        try payload.withUnsafeBytes { try BacktestValues(decoding: try PredictorRecord(decoding: $0).backtest) }
    }
}
