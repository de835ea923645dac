import AWSProtocol
import Forecasting
import FoundationEssentials
import Jobs
import Pipelines
import Testing
import TimeSeries

@Test func sharesAreAPowerOfTwoAndCoverAllItems() throws {
    #expect(TrainShare.split(rows: 1) == [TrainShare(share: 0, of: 1)])
    #expect(TrainShare.split(rows: TrainShare.rows).count == 1)
    #expect(TrainShare.split(rows: TrainShare.rows + 1).count == 2)
    #expect(TrainShare.split(rows: 3 * TrainShare.rows).count == 4)
    #expect(TrainShare.split(rows: 1 << 40).count == TrainShare.countMax)
    #expect(try TrainShare.split(rows: 5 * TrainShare.rows).map { try $0.hashShare } == HashShare.all(of: 8))
}

@Test func taskOfAShareSaysNothingOfTheData() throws {
    #expect(try JobJSON(TrainShare(share: 3, of: 8)).text == #"{"of":8,"share":3}"#)
}

@Test func extentsOfImportsMerge() throws {
    let merged = try #require(
        DataExtent(merging: [
            DataExtent(rows: 3, earliest: 50, latest: 90), DataExtent(rows: 4, earliest: -20, latest: 60),
        ]))
    #expect(merged == DataExtent(rows: 7, earliest: -20, latest: 90))
    #expect(DataExtent(merging: []) == nil)
    #expect(try DataExtent(sections: ["extent": merged.json]) == merged)
    #expect(try DataExtent(sections: [:]) == nil)
}

@Test func keysHaveTheForecastsDimensionsInSchemaOrder() throws {
    #expect(try TrainingTerms(trainDocument()).keyNames == ["item_id"])
    #expect(try TrainingTerms(trainDocument(dimensions: ["store"])).keyNames == ["item_id", "store"])
    #expect(try TrainingTerms(trainDocument(dimensions: ["store", "region"])).keyNames == ["item_id", "region", "store"])
}

@Test func termsTakeWhatTheDocumentSays() throws {
    let terms = try TrainingTerms(
        trainDocument(alignment: .init(hour: 6), windows: 2, offset: 9))
    let settings = try terms.settings(for: days(100))
    #expect(settings.horizon == 7)
    #expect(settings.types == ForecastType.defaults)
    #expect(settings.backtestWindows == 2)
    #expect(settings.backtestOffset == 9)
    #expect(settings.metric == .wape)
    #expect(settings.grid.boundary.hour == 6)
    #expect(terms.transformations.aggregation == .avg)
    #expect(terms.transformations.backfill == .value(2))
}

@Test func tooShortHistoryIsRefusedByTheNameOfTheSetting() throws {
    let terms = try TrainingTerms(trainDocument(horizon: 7))
    #expect(throws: Never.self) { try terms.settings(for: days(28)) }
    let short = try #require(throws: JobError.self) { try terms.settings(for: days(27)) }
    #expect(short.code == .final)
    #expect(short.message.hasPrefix("ForecastHorizon must be 1 to 6"))
    #expect(short.message.contains("Import a longer history"))
    let nothing = try #require(throws: JobError.self) { try terms.settings(for: days(1)) }
    #expect(nothing.message.contains("too short"))
    let offset = try TrainingTerms(trainDocument(horizon: 7, offset: 20))
    #expect(try #require(throws: JobError.self) { try offset.settings(for: days(40)) }.message.hasPrefix("BackTestWindowOffset"))
}

@Test func horizonMayBeLongerWhereTheRequestWasOfAnotherKind() throws {
    #expect(throws: Never.self) {
        _ = try TrainingTerms(trainDocument(horizon: 7, rule: "retrainedOrAutoML")).settings(for: days(21))
        _ = try TrainingTerms(trainDocument(horizon: 7, rule: "algorithm")).settings(for: days(15))
    }
    #expect(throws: JobError.self) { try TrainingTerms(trainDocument(rule: "anything")) }
}

@Test func documentWithoutARuleIsRead() throws {
    let encoded = try JSONEncoder().encode(trainDocument())
    #expect(!String(decoding: encoded, as: UTF8.self).contains("horizonRule"))
    #expect(try JSONDecoder().decode(TrainDocument.self, from: encoded).horizonRule == nil)
}
