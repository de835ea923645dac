import AWSProtocol
import Forecasting
import Pipelines
import Testing
import TimeSeries

@Test func recordHoldsFittedSeriesAndBacktest() throws {
    let settings = try TrainingTerms(trainDocument(windows: 2)).settings(for: days(56))
    for trained in try trainedSeries(settings, globalEnd: days(56).latest) {
        let payload = PredictorRecord.encoded(fitted: trained.fitted, backtest: trained.backtest)
        // Profiles are kept as 32-bit floats: what is read is what is written again.
        #expect(try PredictorRecord.fittedSeries(in: payload).encoded == trained.fitted.encoded)
        #expect(try PredictorRecord.backtestValues(in: payload) == trained.backtest)
        #expect(trained.backtest.windows.count == 2)
    }
    #expect(throws: (any Error).self) { try PredictorRecord.fittedSeries(in: [200, 1, 2]) }
    #expect(throws: (any Error).self) { try PredictorRecord.fittedSeries(in: []) }
}

@Test func predictorManifestReadsWhatItWrites() throws {
    let terms = try TrainingTerms(
        trainDocument(types: ["mean", "0.05"], dimensions: ["store"], alignment: .init(dayOfWeek: "SUNDAY"), frequency: "W"))
    let manifest = PredictorManifest(
        keyNames: terms.keyNames, settings: try terms.settings(for: days(1000)), transformations: terms.transformations,
        globalEnd: 123_456, series: 42, evaluation: [["TestWindows": []]])
    let sections = manifest.sections
    #expect(sections["settings"]?["keyNames"] == ["item_id", "store"])
    #expect(sections["settings"]?["frequency"] == "W")
    #expect(sections["settings"]?["alignment"] == ["dayOfWeek": "SUNDAY"])
    #expect(sections["settings"]?["types"] == ["mean", "0.05"])
    #expect(sections["counts"] == ["series": 42])
    let parsed = try #require(try JSONValue.parse(sections.serialized()).objectValue)
    #expect(try PredictorManifest(sections: parsed) == manifest)
}

@Test func forecastManifestReadsWhatItWrites() throws {
    let terms = try TrainingTerms(trainDocument(alignment: .init(month: "APRIL", dayOfMonth: 6), frequency: "Y"))
    let manifest = ForecastManifest(
        keyNames: terms.keyNames, grid: terms.grid, types: [.quantile(50), .mean], horizon: 12, series: 3)
    let parsed = try #require(try JSONValue.parse(manifest.sections.serialized()).objectValue)
    #expect(try ForecastManifest(sections: parsed) == manifest)
}

@Test func evaluationHasTheSummaryFirstAndQuantilesDownwards() throws {
    let globalEnd = days(56).latest
    let settings = try TrainingTerms(trainDocument(types: ["0.1", "mean", "0.5"], windows: 2)).settings(for: days(56))
    var sums = AccuracySums(settings: settings, windows: settings.windows(globalEnd: globalEnd))
    for trained in try trainedSeries(settings, globalEnd: globalEnd) {
        // As between a chunk's statistics and the commit.
        try sums.merge(AccuracySums(decoding: trained.sums.encoded, settings: settings, windows: sums.windows))
    }
    let results = EvaluationResults.json(sums.report)
    let windows = try #require(results.first?["TestWindows"]?.arrayValue)
    #expect(results.count == 1)
    #expect(windows.map { $0["EvaluationType"] } == ["SUMMARY", "COMPUTED", "COMPUTED"])
    #expect(windows[0]["TestWindowStart"] == nil)
    #expect(windows[1]["TestWindowStart"]?.intValue == globalEnd - 6 * 86_400)
    #expect(windows[1]["TestWindowEnd"]?.intValue == globalEnd)
    #expect(windows[2]["TestWindowEnd"]?.intValue == globalEnd - 7 * 86_400)
    #expect(windows.map { $0["ItemCount"] } == [2, 2, 2])
    for window in windows {
        let metrics = try #require(window["Metrics"])
        let losses = try #require(metrics["WeightedQuantileLosses"]?.arrayValue)
        #expect(losses.map { $0["Quantile"] } == [0.5, 0.1])
        let average = try #require(metrics["AverageWeightedQuantileLoss"]?.doubleValue)
        let sum = losses.compactMap { $0["LossValue"]?.doubleValue }.reduce(0, +)
        #expect(abs(average - sum / 2) < 1e-12)
        let errors = try #require(metrics["ErrorMetrics"]?.arrayValue)
        #expect(errors.map { $0["ForecastType"] } == ["mean", "0.5", "0.1"])
        #expect(errors[0]["RMSE"] == metrics["RMSE"])
        let medianWAPE = try #require(errors[1]["WAPE"]?.doubleValue)
        let medianLoss = try #require(losses[0]["LossValue"]?.doubleValue)
        #expect(abs(medianWAPE - medianLoss) < 1e-12)
    }
}

@Test func metricsThatAreNotDefinedAreLeftOut() throws {
    let settings = try TrainingTerms(trainDocument()).settings(for: days(56))
    let sums = AccuracySums(settings: settings, windows: settings.windows(globalEnd: days(56).latest))
    let windows = try #require(EvaluationResults.json(sums.report).first?["TestWindows"]?.arrayValue)
    let metrics = try #require(windows[0]["Metrics"]?.objectValue)
    #expect(metrics.keys == ["WeightedQuantileLosses", "ErrorMetrics"])
    #expect(metrics["WeightedQuantileLosses"] == [])
    #expect(metrics["ErrorMetrics"]?.arrayValue?.first == ["ForecastType": "mean"])
}
