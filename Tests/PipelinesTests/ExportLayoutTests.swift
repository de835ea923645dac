import Forecasting
import FoundationEssentials
import Pipelines
import Testing
import TimeSeries

private func document(sealed: Bool) -> ExportDocument {
    let key = ArtifactKey(
        resource: "arn:aws:forecast:us-west-2:123456789012:forecast/f", incarnation: UUID(),
        keyARN: "arn:aws:kms:us-west-2:123456789012:key/k", roleARN: nil)
    return ExportDocument(
        source: ArtifactInput(key: key, manifestObject: "o", manifestDigest: "00", manifestGeneration: 1), name: "weekly",
        destination: BucketLocation(path: "s3://data/out", roleARN: "r", keyARN: nil), acceptedAt: 1_587_853_823,
        output: sealed ? key : nil)
}

@Test func exportedFilesHaveTheDocumentedNames() {
    let format = ExportFormat(keyNames: ["item_id"], types: ForecastType.defaults)
    let forecast = ExportLayout.forecast(format)
    #expect(forecast.name(0, part: 0, document: document(sealed: false)) == "weekly_2020-04-25T22-30-23Z_part0.csv")
    #expect(
        forecast.name(0, part: 12, document: document(sealed: true)) == "weekly_2020-04-25T22-30-23Z_part12.csv.encrypted")
    let backtest = ExportLayout.backtest(format)
    #expect(
        backtest.files.indices.map { backtest.name($0, part: 1, document: document(sealed: false)) } == [
            "forecasted-values/weekly_2020-04-25T22-30-23Z_part1.csv",
            "accuracy-metrics-values/weekly_2020-04-25T22-30-23Z_part1.csv",
        ])
    #expect([0, 1].flatMap { part in [0, 1].map { backtest.ordinal($0, part: part) } } == [0, 1, 2, 3])
}

@Test func exportHasAPartForEachChunkAndOneForNone() {
    #expect(ExportTask.plan(chunks: 0).map(\.hasChunk) == [false])
    #expect(ExportTask.plan(chunks: 2).map(\.hasChunk) == [true, true])
    #expect(ExportTask.plan(chunks: 2).map(\.part) == [0, 1])
}
