import Forecasting
import Testing
import TimeSeries

@Suite struct MetricTests {
    static func trained(_ windows: Int = 2, count: Int = 5) throws -> (
        settings: PredictorSettings, windows: [BacktestWindow], all: [TrainedSeries]
    ) {
        let first = series(weeklyValues(150))
        let trainer = try trainer(for: first, types: [.quantile(10), .quantile(50), .quantile(90), .mean], windows: windows)
        let all = try (0..<count).map { number in
            try trainer.train(series(weeklyValues(150, seed: UInt64(number)), item: "item \(number)")) {}
        }
        return (trainer.settings, trainer.windows, all)
    }

    @Test func theQuantileLossOfTheMedianIsItsWAPE() throws {
        let (settings, windows, all) = try Self.trained()
        var sums = AccuracySums(settings: settings, windows: windows)
        for one in all { try sums.merge(one.sums) }
        for window in sums.report.windows + [sums.report.summary] {
            let loss = try #require(window.quantileLosses.first { $0.type == .quantile(50) }?.loss)
            let wape = try #require(window.errors.first { $0.type == .quantile(50) }?.wape)
            #expect(abs(loss - wape) < 1e-12)
            #expect(window.quantileLosses.count == 3)
            let losses = window.quantileLosses.compactMap(\.loss)
            #expect(abs(try #require(window.averageQuantileLoss) - losses.reduce(0, +) / 3) < 1e-12)
            #expect(
                window.errors.first { $0.type == .mean }.map { [$0.wape, $0.rmse, $0.mase, $0.mape] } == [
                    window.meanErrors.wape, window.meanErrors.rmse, window.meanErrors.mase, window.meanErrors.mape,
                ])
        }
        #expect(sums.report.windows.map(\.itemCount) == [5, 5])
        #expect(sums.report.windows.map(\.pointCount) == [70, 70])
    }

    @Test func metricsAreThoseOfTheFormulas() throws {
        let (settings, windows, all) = try Self.trained(1, count: 3)
        var sums = AccuracySums(settings: settings, windows: windows)
        for one in all { try sums.merge(one.sums) }
        var total = 0.0
        var loss = 0.0
        var squared = 0.0
        var percent = 0.0
        var scaled = 0.0
        var points = 0.0
        for (number, one) in all.enumerated() {
            let window = one.backtest.windows[0]
            let history = weeklyValues(150, seed: UInt64(number))
            var scale = 0.0
            for index in 7..<136 { scale += abs(history[index] - history[index - 7]) / 129 }
            var itemError = 0.0
            for (step, y) in window.actual.enumerated() {
                let p90 = window.values[2][step]
                let error = y - window.means[step]
                total += abs(y)
                loss += 0.9 * max(y - p90, 0) + 0.1 * max(p90 - y, 0)
                squared += error * error
                percent += abs(error / y)
                itemError += abs(error)
                points += 1
            }
            scaled += itemError / 14 / scale
        }
        let report = sums.report.windows[0]
        #expect(abs(try #require(report.quantileLosses[2].loss) - 2 * loss / total) < 1e-12)
        #expect(abs(try #require(report.meanErrors.rmse) - (squared / points).squareRoot()) < 1e-9)
        #expect(abs(try #require(report.meanErrors.mape) - percent / points) < 1e-12)
        #expect(abs(try #require(report.meanErrors.mase) - scaled / 3) < 1e-9)
        #expect(sums.report.summary == report)
    }

    @Test func partialSumsMergeToTheWhole() throws {
        let (settings, windows, all) = try Self.trained()
        var whole = AccuracySums(settings: settings, windows: windows)
        for one in all { try whole.merge(one.sums) }
        var left = AccuracySums(settings: settings, windows: windows)
        var right = AccuracySums(settings: settings, windows: windows)
        for (number, one) in all.enumerated() { if number < 2 { try left.merge(one.sums) } else { try right.merge(one.sums) } }
        let decoded = try AccuracySums(decoding: right.encoded, settings: settings, windows: windows)
        #expect(decoded == right)
        try left.merge(decoded)
        let a = try #require(left.report.summary.averageQuantileLoss)
        #expect(abs(a - (whole.report.summary.averageQuantileLoss ?? 0)) < 1e-12)
        let other = try PredictorSettings(grid: daily, horizon: 14, types: [.mean], backtestWindows: 2)
        #expect(throws: ForecastingError.self) { try AccuracySums(decoding: right.encoded, settings: other, windows: windows) }
    }

    @Test func zerosLeaveTheNumeratorAndNoPercentage() throws {
        let values = (0..<60).map { $0 < 45 ? Double($0 % 4) : 0 }
        let zero = series(values)
        let report = try trainer(for: zero).train(zero) {}.sums.report.windows[0]
        let errors = report.meanErrors
        #expect(errors.mape == nil)
        #expect(try #require(errors.wape) >= 0)
        let constant = series([Double](repeating: 3, count: 60))
        let none = try trainer(for: constant).train(constant) {}.sums.report.windows[0].meanErrors
        #expect(none.mase == nil)
        #expect(none.wape == 0)
    }
}
