import Forecasting
import Testing
import TimeSeries

@Suite struct TrainingTests {
    static func meanAbsoluteError(_ forecast: [Double], _ actual: [Double]) -> Double {
        zip(forecast, actual).reduce(0) { $0 + abs($1.0 - $1.1) } / Double(actual.count)
    }

    @Test func seasonalDataAreForecastBetterThanByTheNaiveModels() throws {
        var ours = 0.0
        var naive = 0.0
        for seed in 1...8 {
            let values = weeklyValues(240, seed: UInt64(seed), noise: 8)
            let history = series(Array(values.prefix(212)))
            let trained = try trainer(for: history, horizon: 28).train(history) {}
            let forecast = trained.fitted.forecast(types: ForecastType.defaults, grid: daily)
            let actual = Array(values.suffix(28))
            ours += Self.meanAbsoluteError(forecast.values[1], actual)
            naive += Self.meanAbsoluteError((0..<28).map { values[212 - 7 + $0 % 7] }, actual)
        }
        #expect(ours < 0.85 * naive)
    }

    @Test func bandsCoverAboutWhatTheySay() throws {
        var below = [0, 0, 0]
        var points = 0
        for seed in 1...20 {
            let values = weeklyValues(260, seed: UInt64(seed) + 50)
            let history = series(Array(values.prefix(232)))
            let forecast = try trainer(for: history, horizon: 28).train(history) {}.fitted.forecast(
                types: ForecastType.defaults, grid: daily)
            for step in 0..<28 {
                for type in 0..<3 where values[232 + step] <= forecast.values[type][step] { below[type] += 1 }
                points += 1
            }
        }
        for (count, expected) in zip(below, [0.1, 0.5, 0.9]) { #expect(abs(Double(count) / Double(points) - expected) < 0.08) }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 13, 14, 15, 16, 21, 22, 30, 50])
    func shortSeriesOfAnyKindAreForecast(_ count: Int) throws {
        let kinds: [String: [Double]] = [
            "rising": (0..<count).map { 5 + Double($0) }, "constant": [Double](repeating: 42, count: count),
            "zero": [Double](repeating: 0, count: count), "negative": (0..<count).map { -100 + Double($0 % 3) },
            "intermittent": (0..<count).map { $0 % 5 == 0 ? Double($0 + 1) : 0 },
            "missing": (0..<count).map { $0 % 3 == 1 ? .nan : 10 + Double($0 % 7) },
            "ended": (0..<count).map { $0 == 0 ? 7 : .nan }, "large": (0..<count).map { 1e300 * Double($0 % 2 + 1) },
            "tiny": (0..<count).map { 1e-300 * Double($0 % 2 + 1) }, "mixed": (0..<count).map { $0 % 2 == 0 ? 1e150 : -1e-150 },
        ]
        for (kind, values) in kinds.sorted(by: { $0.key < $1.key }) {
            let history = series(values)
            let types: [ForecastType] = [.quantile(1), .quantile(10), .quantile(50), .quantile(99), .mean]
            let trained = try trainer(for: history, horizon: 9, types: types, windows: 2).train(history) {}
            let forecast = trained.fitted.forecast(types: types, grid: daily)
            #expect(forecast.values.allSatisfy { $0.count == 9 && $0.allSatisfy(\.isFinite) }, "\(kind) \(count)")
            for step in 0..<9 {
                for type in 1..<4 { #expect(forecast.values[type - 1][step] <= forecast.values[type][step], "\(kind) \(count)") }
            }
            if kind == "constant" { #expect(forecast.values[2].allSatisfy { abs($0 - 42) < 1e-9 }) }
            if values.allSatisfy({ $0.isNaN || $0 >= 0 }) {
                #expect(forecast.values.allSatisfy { $0.allSatisfy { $0 >= 0 } }, "\(kind)")
            }
        }
    }

    @Test func everyQuantileRises() throws {
        let history = series(weeklyValues(200))
        let fitted = try trainer(for: history).train(history) {}.fitted
        let types = (1...99).map { ForecastType.quantile($0) }
        let forecast = fitted.forecast(types: types, grid: daily)
        for step in 0..<14 {
            for type in 1..<99 { #expect(forecast.values[type - 1][step] <= forecast.values[type][step]) }
        }
    }

    @Test func theSameSeriesGivesTheSameBytes() throws {
        let history = series(weeklyValues(150))
        let first = try trainer(for: history, windows: 2).train(history) {}
        let second = try trainer(for: history, windows: 2).train(history) {}
        #expect(first.fitted.encoded == second.fitted.encoded)
        #expect(first.backtest.encoded == second.backtest.encoded)
        #expect(first.sums.encoded == second.sums.encoded)
    }

    /// What lies in the window must not be seen by the models that are judged on it.
    @Test func backtestsDoNotLookAhead() throws {
        let values = weeklyValues(150)
        var changed = values
        for index in 136..<150 { changed[index] *= 5 }
        let first = try trainer(for: series(values)).train(series(values)) {}.backtest.windows[0]
        let second = try trainer(for: series(changed)).train(series(changed)) {}.backtest.windows[0]
        #expect(first.values == second.values)
        #expect(first.actual != second.actual)
    }

    @Test func onlyCompleteItemsContribute() throws {
        var values = weeklyValues(150)
        values[145] = .nan
        let trained = try trainer(for: series(values), windows: 2).train(series(values)) {}
        #expect(trained.backtest.windows.map(\.number) == [1])
        #expect(trained.sums.report.windows.map(\.itemCount) == [0, 1])
        #expect(trained.sums.report.windows[0].averageQuantileLoss == nil)
        let late = series(Array(weeklyValues(10)))
        let short = try trainer(for: late).train(late) {}
        #expect(short.backtest.windows.isEmpty)
    }

    @Test func aCheckpointEndsTheWorkInTheMiddle() throws {
        struct Stopped: Error {}
        let history = series(weeklyValues(300))
        var calls = 0
        #expect(throws: Stopped.self) {
            _ = try trainer(for: history, windows: 2).train(history) {
                calls += 1
                if calls == 5 { throw Stopped() }
            }
        }
        #expect(calls == 5)
    }

    @Test func fittedSeriesSurviveTheirEncoding() throws {
        for (name, values) in [("week", weeklyValues(150)), ("short", [1, 2]), ("log", (0..<80).map { 100 * (1 + Double($0)) })] {
            let trained = try trainer(for: series(values)).train(series(values)) {}
            let decoded = try FittedSeries(decoding: trained.fitted.encoded)
            #expect(decoded.encoded == trained.fitted.encoded)
            #expect(decoded.summary == trained.fitted.summary)
            let a = trained.fitted.forecast(types: ForecastType.defaults, grid: daily)
            let b = decoded.forecast(types: ForecastType.defaults, grid: daily)
            #expect(a.timestamps == b.timestamps)
            for (x, y) in zip(a.values.joined(), b.values.joined()) { #expect(abs(x - y) <= 1e-5 * max(abs(x), 1), "\(name)") }
            #expect(try ForecastValues(decoding: b.encoded) == b)
            #expect(try BacktestValues(decoding: trained.backtest.encoded) == trained.backtest)
        }
    }

    @Test func forecastsStartOneStepAfterTheEnd() throws {
        let history = series(weeklyValues(60), start: daily.index(of: 0))
        let forecast = try trainer(for: history).train(history) {}.fitted.forecast(types: [.mean], grid: daily)
        #expect(forecast.timestamps.first == EpochSeconds(60 * 86_400))
        #expect(forecast.timestamps.last == EpochSeconds(73 * 86_400))
        let part = forecast.between(61 * 86_400, 62 * 86_400)
        #expect(part.timestamps == [61 * 86_400, 62 * 86_400])
        #expect(part.values == [Array(forecast.values[0][1...2])])
    }

    @Test func damagedBytesThrowAndNeverTrap() throws {
        let history = series(weeklyValues(120))
        let trained = try trainer(for: history, windows: 2).train(history) {}
        let encodings = [
            trained.fitted.encoded, trained.backtest.encoded,
            trained.fitted.forecast(types: ForecastType.defaults, grid: daily).encoded,
        ]
        var generator = SeededGenerator(state: 99)
        var refused = 0
        for encoded in encodings {
            for round in 0..<600 {
                var bytes = encoded
                bytes[Int.random(in: 0..<min(bytes.count, round % 2 == 0 ? 60 : bytes.count), using: &generator)] = .random(
                    in: 0...255, using: &generator)
                if round % 7 == 0 { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &generator)) }
                let fitted = try? FittedSeries(decoding: bytes).forecast(types: [.quantile(10), .mean], grid: daily)
                let backtest = try? BacktestValues(decoding: bytes)
                let forecast = try? ForecastValues(decoding: bytes)
                if fitted == nil, backtest == nil, forecast == nil { refused += 1 }
            }
        }
        // What was cut, and altered structure; the rest is other numbers, which the envelope is there for.
        #expect(refused > 400)
    }
}
