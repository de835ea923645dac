import Forecasting
import Testing
import TimeSeries

@Suite struct SettingsTests {
    @Test(arguments: [
        ("0.1", "p10", "0.1"), ("0.10", "p10", "0.1"), (".5", "p50", "0.5"), ("0.05", "p5", "0.05"), ("0.01", "p1", "0.01"),
        ("0.99", "p99", "0.99"), ("mean", "mean", "mean"),
    ]) func forecastTypesAreRead(_ text: String, _ column: String, _ written: String) throws {
        let type = try ForecastType(parsing: text)
        #expect(type.columnName == column)
        #expect(type.description == written)
    }

    @Test(arguments: ["", "0", "0.0", "0.00", "1", "1.0", "0.123", "0.", "p50", "Mean", "-0.5", "0,5", "00.5"])
    func whatIsNoForecastTypeIsRefused(_ text: String) {
        #expect(throws: ForecastingError.self) { try ForecastType(parsing: text) }
    }

    @Test func typeListsHoldAtTheirLimit() throws {
        #expect(try ForecastType.list(parsing: nil) == [.quantile(10), .quantile(50), .quantile(90)])
        #expect(try ForecastType.list(parsing: []) == ForecastType.defaults)
        #expect(try ForecastType.list(parsing: ["mean", "0.65", "0.9"]) == [.mean, .quantile(65), .quantile(90)])
        #expect(try ForecastType.list(parsing: ["0.1", "0.2", "0.3", "0.4", "0.5"]).count == 5)
        #expect(throws: ForecastingError.self) { try ForecastType.list(parsing: ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]) }
        #expect(throws: ForecastingError.self) { try ForecastType.list(parsing: ["0.1", ".1"]) }
    }

    @Test func theWindowOfTheGuideIsFound() throws {
        let grid = TimeGrid(frequency: try Frequency(parsing: "H"))
        let settings = try PredictorSettings(grid: grid, horizon: 20)
        let window = settings.windows(globalEnd: try #require(parseISOTimestamp("2015-01-01T00:00:00")))[0]
        #expect(TimestampStyle.isoZ.string(window.startTime) == "2014-12-31T05:00:00Z")
        #expect(TimestampStyle.isoZ.string(window.endTime) == "2015-01-01T00:00:00Z")
    }

    @Test func furtherWindowsLieAHorizonEarlierAndBehindTheOffset() throws {
        let settings = try PredictorSettings(grid: daily, horizon: 7, backtestWindows: 3, backtestOffset: 10)
        let windows = settings.windows(globalEnd: daily.timestamp(at: 100))
        #expect(windows.map(\.start) == [91, 84, 77])
        #expect(windows.allSatisfy { $0.count == 7 })
    }

    @Test func boundsAreNamed() throws {
        func settings(_ horizon: Int, windows: Int = 1, offset: Int? = nil, points: Int? = 100) throws {
            _ = try PredictorSettings(
                grid: daily, horizon: horizon, backtestWindows: windows, backtestOffset: offset, targetPoints: points)
        }
        for (horizon, isLegal) in [(0, false), (1, true), (24, true), (25, true), (26, false)] {
            #expect(((try? settings(horizon)) != nil) == isLegal, "\(horizon)")
        }
        #expect(throws: Never.self) { try settings(500, points: 2000) }
        #expect(throws: ForecastingError.self) { try settings(501, points: 5000) }
        #expect(throws: ForecastingError.self) { try settings(10, windows: 0) }
        #expect(throws: Never.self) { try settings(10, windows: 5) }
        #expect(throws: ForecastingError.self) { try settings(10, windows: 6) }
        #expect(throws: ForecastingError.self) { try settings(10, offset: 9) }
        #expect(throws: Never.self) { try settings(10, offset: 49) }
        #expect(throws: ForecastingError.self) { try settings(10, offset: 50) }
        #expect(throws: ForecastingError.self) { try settings(1, points: 3) }
    }

    @Test func horizonsFollowTheKindOfPredictor() {
        for (rule, longest) in [(.autoPredictor, 25), (.retrainedOrAutoML, 33), (.algorithm, 99)]
            as [(PredictorSettings.HorizonRule, Int)]
        {
            #expect(PredictorSettings.longestHorizon(targetPoints: 100, rule: rule) == longest)
            #expect(PredictorSettings.longestHorizon(targetPoints: 9000, rule: rule) == 500)
        }
    }

    @Test(arguments: [
        ("H", 24), ("2H", 12), ("5H", 1), ("D", 7), ("2D", 1), ("W", 52), ("M", 12), ("3M", 4), ("Y", 1), ("30min", 48),
        ("15min", 96), ("1min", 60),
    ])
    func seasonsFollowTheFrequency(_ frequency: String, _ period: Int) throws {
        #expect(Seasonality(try Frequency(parsing: frequency)).primary == period)
    }
}
