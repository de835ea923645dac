import AWSProtocol
import Artifacts
import Forecasting
import Jobs
import ObjectStore
import Pipelines
import Testing
import TimeSeries

private let names = ["item_id", "store"]
private let keyARN = "arn:aws:kms:us-west-2:123456789012:key/k"

private func refusal(_ body: () throws -> Void) -> AWSError? {
    do {
        try body()
        return nil
    } catch {
        return error as? AWSError
    }
}

@Test func filterMustNameTheItemIDAndKnownAttributes() throws {
    let without = try #require(refusal { _ = try SeriesFilter(["store": "s"], keyNames: names) })
    #expect(without.code == "InvalidInputException")
    #expect(without.message.contains("item_id"))
    let unknown = try #require(refusal { _ = try SeriesFilter(["item_id": "a", "color": "red"], keyNames: names) })
    #expect(unknown.code == "InvalidInputException")
    #expect(unknown.message.contains("color"))
}

@Test func filterMatchesByBytesAndLeavesOutWhatItDoesNotName() throws {
    let all = try SeriesFilter(["item_id": "a"], keyNames: names)
    #expect(all.matches(ItemKey(itemID: "a", dimensions: ["s"])))
    #expect(!all.matches(ItemKey(itemID: "A", dimensions: ["s"])))
    let one = try SeriesFilter(["item_id": "caf\u{E9}", "store": "s"], keyNames: names)
    #expect(one.matches(ItemKey(itemID: "caf\u{E9}", dimensions: ["s"])))
    #expect(!one.matches(ItemKey(itemID: "cafe\u{301}", dimensions: ["s"])))
    #expect(!one.matches(ItemKey(itemID: "caf\u{E9}", dimensions: ["t"])))
}

@Test func filterMustLeaveOneSeries() throws {
    let filter = try SeriesFilter(["item_id": "a"], keyNames: names + ["color"])
    let record = (key: ItemKey(itemID: "a", dimensions: ["s", "red"]), payload: [UInt8(7)])
    #expect(try filter.one(of: [record]) == [7])
    #expect(refusal { _ = try filter.one(of: []) }?.code == "ResourceNotFoundException")
    let several = try #require(refusal { _ = try filter.one(of: [record, record]) })
    #expect(several.code == "InvalidInputException")
    #expect(several.message == "Filters: they fit several series; add a value for store, color.")
}

@Test func predictionsAreNamedByColumnAndRangesAreInclusive() throws {
    let hour: Int64 = 3600
    let start: Int64 = 1_420_074_000  // 2015-01-01T01:00:00
    let forecast = ForecastValues(
        types: [.quantile(10), .mean], timestamps: (0..<3).map { start + $0 * hour }, values: [[1.5, 2, 3], [4, 5, 6]])
    // The range may begin before the forecast does, as in the documented example.
    let answer = try PredictionsAnswer.json(forecast, start: start - hour, end: start + hour)
    #expect(
        answer.serialized()
            == Array(
                """
                {"p10":[{"Timestamp":"2015-01-01T01:00:00","Value":1.5},{"Timestamp":"2015-01-01T02:00:00","Value":2.0}],\
                "mean":[{"Timestamp":"2015-01-01T01:00:00","Value":4.0},{"Timestamp":"2015-01-01T02:00:00","Value":5.0}]}
                """.utf8))
    #expect(try PredictionsAnswer.json(forecast, start: nil, end: nil)["mean"]?.arrayValue?.count == 3)
    let outside = try #require(refusal { _ = try PredictionsAnswer.json(forecast, start: start + 3 * hour, end: nil) })
    #expect(outside.code == "InvalidInputException")
    #expect(outside.message.contains("2015-01-01T01:00:00 to 2015-01-01T03:00:00"))
}

@Test(arguments: [
    AWSError.accessDenied("No grant."), AWSError(code: "AccessDenied", message: "", status: 403),
    AWSError(code: "DisabledException", message: "It is disabled."),
    AWSError(code: "KMSInvalidStateException", message: "It is pending deletion."),
    AWSError(code: "NotFoundException", message: "No such key."),
    KeyLeaseLost(resource: "r", keyARN: keyARN, reason: .denied("It was revoked.")) as any Error,
])
func keyThatCannotBeUsedIsAccessDenied(error: any Error) {
    let told = QueryErrors.awsError(error, key: keyARN)
    #expect(told.code == "AccessDeniedException")
    #expect(told.message.hasPrefix("Forecast can't use the key \(keyARN): "))
    #expect(!told.message.hasSuffix(": "))
    #expect(QueryErrors.isDenied(error))
}

@Test(arguments: [
    AWSError(code: "KMSInternalException", message: "", status: 500),
    AWSError(code: "ThrottlingException", message: ""),
    AWSError.unrecognizedClient, AWSError.expiredToken, AWSError(code: "InvalidClientTokenId", message: "", status: 403),
    KeyLeaseLost(resource: "r", keyARN: keyARN, reason: .unreachable("silence")), JobError.retriable("later"),
    ObjectStoreError(.busy, "busy"), CancellationError() as any Error,
])
func whatDoesNotAnswerIsServiceUnavailable(error: any Error) {
    #expect(QueryErrors.awsError(error, key: keyARN).status == 503)
    #expect(!QueryErrors.isDenied(error))
}

@Test func refusalsOfTheQueryPassAndOurOwnFaultsAreNotShown() {
    let refusal = AWSError(code: "ResourceNotFoundException", message: "m")
    #expect(QueryErrors.awsError(refusal, key: keyARN).message == "m")
    #expect(!QueryErrors.isDenied(refusal))
    let broken = QueryErrors.awsError(TimeSeriesError.corruptedChunk("its secret"), key: keyARN)
    #expect(broken.status == 500)
    #expect(!broken.message.contains("secret"))
}
