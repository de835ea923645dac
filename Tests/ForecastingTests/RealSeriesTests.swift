import Forecasting
import Foundation
import Testing
import TimeSeries

/// A folder of further series to try (`<name>_train.csv`, `<name>_test.csv`); tests of them are left out where it is not named.
private let seriesFolder = ProcessInfo.processInfo.environment["FORECASTLE_TEST_SERIES"]
private let demoSeries = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("deploy/series/road_casualties.csv")

/// Real series, by the whole way that a train task goes: import, assembly, training, forecast.
@Suite struct RealSeriesTests {
    /// The average wQL on the held-out values, and the WAPE of the seasonal naive forecast.
    static func score(
        train trainCSV: [UInt8], test testCSV: [UInt8], frequency: String, horizon: Int, period: Int, items: Int
    ) throws -> (ours: Double, naive: Double) {
        let schema = try Schema(attributes: [
            .init(name: "item_id", type: .string), .init(name: "timestamp", type: .timestamp),
            .init(name: "target_value", type: .float),
        ])
        let layout = try DatasetLayout(domain: .custom, type: .targetTimeSeries, schema: schema)
        let grid = TimeGrid(frequency: try Frequency(parsing: frequency))
        func load(_ csv: [UInt8]) throws -> (series: [Series], end: EpochSeconds) {
            let builder = try ChunkBuilder(layout: layout, format: .dateTime, file: "series.csv")
            _ = try builder.feed(csv, isLast: true)
            let chunk = try #require(builder.finish())
            let index = try ChunkIndex(reading: chunk.plaintext, expecting: .observations, plaintextBytes: chunk.plaintext.count)
            let assembler = try SeriesAssembler(
                layout: layout, dimensions: [], grid: grid, transformations: .init(middlefill: .nan, backfill: .nan))
            for partition in index.partitions {
                try assembler.add(partition: Array(chunk.plaintext[partition.bytes]), chunkOrder: 0)
            }
            var series: [Series] = []
            let end = chunk.statistics.fields[1].latest
            try assembler.forEachSeries(globalEnd: end) { series.append($0) }
            return (series, end)
        }
        let (train, end) = try load(trainCSV)
        let actual = Dictionary(uniqueKeysWithValues: try load(testCSV).series.map { ($0.key, $0) })
        let trainer = SeriesTrainer(settings: try PredictorSettings(grid: grid, horizon: horizon), globalEnd: end)
        var ours = 0.0
        var naive = 0.0
        var total = 0.0
        for series in train.prefix(items) {
            let forecast = try trainer.train(series) {}.fitted.forecast(types: ForecastType.defaults, grid: grid)
            let truth = try #require(actual[series.key])
            for step in 0..<horizon {
                let index = series.end + step - truth.start
                guard truth.values.indices.contains(index), !truth.values[index].isNaN else { continue }
                let y = truth.values[index]
                for (type, probability) in zip(0..<3, [0.1, 0.5, 0.9]) {
                    let q = forecast.values[type][step]
                    ours += 2 * (y >= q ? probability * (y - q) : (1 - probability) * (q - y)) / 3
                }
                let last = series.values[series.values.count - period + step % period]
                naive += abs(y - (last.isNaN ? y : last))
                total += abs(y)
            }
        }
        return (ours / total, naive / total)
    }

    static func scoreOfFolder(_ name: String, frequency: String, horizon: Int, period: Int, items: Int) throws
        -> (ours: Double, naive: Double)
    {
        let folder = URL(fileURLWithPath: try #require(seriesFolder))
        func bytes(_ part: String) throws -> [UInt8] {
            [UInt8](try Data(contentsOf: folder.appendingPathComponent("\(name)_\(part).csv")))
        }
        return try score(
            train: bytes("train"), test: bytes("test"), frequency: frequency, horizon: horizon, period: period, items: items)
    }

    @Test func roadCasualtiesAreForecastBetterThanNaively() throws {
        let lines = String(decoding: try Data(contentsOf: demoSeries), as: UTF8.self).split(separator: "\n")
        let isTrain = { (line: Substring) in line.split(separator: ",")[1] < "1981" }
        let isTest = { (line: Substring) in !isTrain(line) && line.split(separator: ",")[1] < "1983" }
        let train = Array(lines.filter(isTrain).joined(separator: "\n").utf8)
        let test = Array(lines.filter(isTest).joined(separator: "\n").utf8)
        let score = try Self.score(train: train, test: test, frequency: "M", horizon: 24, period: 12, items: 5)
        #expect(score.ours < 0.1)
        #expect(score.ours < 0.8 * score.naive)
    }

    @Test(.enabled(if: seriesFolder != nil)) func dailyCashWithdrawalsAreForecastWell() throws {
        let score = try Self.scoreOfFolder("nn5_daily", frequency: "D", horizon: 56, period: 7, items: 30)
        #expect(score.ours < 0.75 * score.naive)
    }

    @Test(.enabled(if: seriesFolder != nil)) func monthlySeriesAreForecastWell() throws {
        let score = try Self.scoreOfFolder("m3_monthly", frequency: "M", horizon: 18, period: 12, items: 200)
        #expect(score.ours < 0.9 * score.naive)
    }
}
