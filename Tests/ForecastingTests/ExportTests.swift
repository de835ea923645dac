import Forecasting
import Testing
import TimeSeries

@Suite struct ExportTests {
    static func text(_ bytes: [UInt8]) -> [String] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func forecastRowsAreThoseOfTheService() throws {
        let format = ExportFormat(keyNames: ["item_id", "store"], types: [.quantile(10), .quantile(50), .mean])
        #expect(Self.text(format.forecastHeader) == ["item_id,store,date,p10,p50,mean"])
        let start = try #require(parseISOTimestamp("2020-07-01T00:00:00"))
        let forecast = ForecastValues(
            types: [.quantile(50), .mean, .quantile(10)], timestamps: [start, start + 86_400],
            values: [[2, 3], [2.5, 3.5], [1, -0.25]])
        let lines = try format.forecastLines(ItemKey(itemID: "a", dimensions: ["x"]), forecast)
        #expect(Self.text(lines) == ["a,x,2020-07-01T00:00:00Z,1.0,2.0,2.5", "a,x,2020-07-02T00:00:00Z,-0.25,3.0,3.5"])
        let missing = ForecastValues(types: [.quantile(50)], timestamps: [start], values: [[1]])
        #expect(throws: ForecastingError.self) { try format.forecastLines(ItemKey(itemID: "a", dimensions: ["x"]), missing) }
    }

    @Test(arguments: [
        ("plain", "plain"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), (" a", "\" a\""), ("a ", "\"a \""), ("=1+1", "=1+1"),
        ("", ""), ("ü", "ü"),
    ]) func itemsAreQuotedWhereTheyMustBe(_ item: String, _ written: String) {
        var line = CSVLine()
        line.append(item)
        line.append(1.5)
        line.end()
        #expect(String(decoding: line.bytes, as: UTF8.self) == "\(written),1.5\n")
    }

    @Test func backtestRowsAreThoseOfTheService() throws {
        let values = weeklyValues(60, noise: 0)
        let history = series(values, start: daily.index(of: 1_577_836_800))
        let types: [ForecastType] = [.mean, .quantile(65), .quantile(90)]
        let trained = try trainer(for: history, horizon: 7, types: types, windows: 2).train(history) {}
        let format = ExportFormat(keyNames: ["item_id"], types: types)
        #expect(
            Self.text(format.forecastedValuesHeader) == [
                "item_id,timestamp,target_value,backtestwindow_start_time,backtestwindow_end_time,mean,p65,p90"
            ])
        let lines = try Self.text(format.forecastedValuesLines(history.key, trained.backtest))
        #expect(lines.count == 14)
        #expect(lines[0].hasPrefix("a,2020-02-23T00:00:00Z,\(values[53]),2020-02-23T00:00:00,2020-02-29T00:00:00,"))
        #expect(lines.allSatisfy { $0.split(separator: ",").count == 8 })
        #expect(
            Self.text(format.accuracyMetricsHeader) == [
                "item_id,backtest_window,backtestwindow_start_time,backtestwindow_end_time,wQL[0.65],wQL[0.9],Average wQL,RMSE,WAPE,MAPE,MASE"
            ])
        let metrics = try Self.text(format.accuracyMetricsLines(history.key, trained.backtest))
        #expect(metrics.map { String($0.prefix { $0 != "." }.prefix(50)) }.count == 3)
        #expect(metrics[0].hasPrefix("a,Summary,2020-02-16T00:00:00,2020-02-29T00:00:00,"))
        #expect(metrics[1].hasPrefix("a,Computed,2020-02-23T00:00:00,2020-02-29T00:00:00,"))
        #expect(metrics[2].hasPrefix("a,Computed,2020-02-16T00:00:00,2020-02-22T00:00:00,"))
        #expect(metrics.allSatisfy { $0.split(separator: ",").count == 11 })
    }

    @Test func typesOfExportAndBacktestMustAgree() throws {
        let history = series(weeklyValues(60))
        let trained = try trainer(for: history, horizon: 7).train(history) {}
        let other = ExportFormat(keyNames: ["item_id"], types: [.mean])
        #expect(throws: ForecastingError.self) { try other.forecastedValuesLines(history.key, trained.backtest) }
        #expect(throws: ForecastingError.self) { try other.accuracyMetricsLines(history.key, trained.backtest) }
    }

    @Test func undefinedMetricsAreNamedSo() throws {
        let history = series([Double](repeating: 0, count: 60))
        let trained = try trainer(for: history, horizon: 7).train(history) {}
        let format = ExportFormat(keyNames: ["item_id"], types: ForecastType.defaults)
        let metrics = try Self.text(format.accuracyMetricsLines(history.key, trained.backtest))
        #expect(metrics.allSatisfy { $0.hasSuffix(",0.0,0.0,0.0,0.0,0.0,0.0,not defined,not defined") })
    }

    @Test func filesAreNamedAfterJobTimeAndPart() throws {
        let time = try #require(parseISOTimestamp("2020-04-25T22:30:23"))
        #expect(ExportFormat.fileName("mlimday", startedAt: time, part: 0) == "mlimday_2020-04-25T22-30-23Z_part0.csv")
    }

    @Test func aPlotShowsHistoryBandAndDates() throws {
        let history = series(weeklyValues(120), start: daily.index(of: 1_577_836_800))
        let forecast = try trainer(for: history).train(history) {}.fitted.forecast(types: ForecastType.defaults, grid: daily)
        let points = history.values.enumerated().map {
            ForecastPlot.Point(time: daily.timestamp(at: history.start + $0), value: $1)
        }
        let svg = ForecastPlot(title: "a <&> \"b\"", history: points, forecast: forecast).svg()
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
        #expect(svg.contains("a &lt;&amp;&gt; &quot;b&quot;"))
        #expect(svg.contains("<polygon") && svg.contains("p10–p90") && svg.contains("p50"))
        #expect(svg.contains(">2020-02-01<") || svg.contains(">2020-02<"))
        #expect(!svg.contains("nan") && !svg.contains("inf"))
        let empty = ForecastPlot(title: "none", history: [], forecast: ForecastValues(types: [], timestamps: [], values: []))
        #expect(ForecastPlot.page([empty]).hasSuffix("</svg>\n"))
        let flat = ForecastPlot(
            title: "flat", history: [.init(time: 0, value: 0)],
            forecast: ForecastValues(types: [.mean], timestamps: [0], values: [[0]]))
        #expect(!flat.svg().contains("nan"))
    }
}
