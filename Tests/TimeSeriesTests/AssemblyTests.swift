import Testing
import TimeSeries

/// Aggregation and filling, with the examples of the developer guide.
@Suite struct AssemblyTests {
    static func values(
        _ csv: String, _ parameters: [String: String], frequency: String = "H", format: TimestampFormat = .dateTime
    ) throws
        -> [String: [Double]]
    {
        let layout = try customLayout()
        let series = try assemble(
            importChunks(csv, layout: layout, format: format), layout: layout, frequency: frequency,
            transformations: TargetTransformations(parameters: parameters))
        return Dictionary(uniqueKeysWithValues: series.map { ($0.key.itemID, $0.values) })
    }

    static let guide =
        "a,2018-03-03 02:20:00,50\na,2018-03-03 02:45:00,20\na,2018-03-03 01:00:00,100\na,2018-03-03 04:00:00,120\n"

    @Test(
        arguments: [
            ("sum", [100, 70, 0, 120]), ("avg", [100, 35, 0, 120]), ("first", [100, 50, 0, 120]), ("min", [100, 20, 0, 120]),
            ("max", [100, 50, 0, 120]),
        ] as [(String, [Double])]) func rowsOfOneHourAreAggregated(_ aggregation: String, _ expected: [Double]) throws
    {
        #expect(try Self.values(Self.guide, ["aggregation": aggregation]) == ["a": expected])
    }

    @Test func firstIsByTimestampThenByInput() throws {
        let csv = "a,2018-03-03 02:45:00,1\na,2018-03-03 02:20:00,2\na,2018-03-03 02:20:00,3\n"
        #expect(try Self.values(csv, ["aggregation": "first"]) == ["a": [2]])
    }

    @Test func emptyAndNaNValuesTakeNoPart() throws {
        let csv =
            "a,2018-03-03 00:00:00,\na,2018-03-03 01:00:00,2\na,2018-03-03 01:30:00,NaN\na,2018-03-03 02:00:00,\na,2018-03-03 03:00:00,4\na,2018-03-03 04:00:00,\nb,2018-03-03 04:00:00,\n"
        #expect(try Self.values(csv, [:]) == ["a": [2, 0, 4, 0]])
        #expect(
            try Self.values(csv, ["aggregation": "avg", "middlefill": "value", "middlefill_value": "-1.5", "backfill": "max"])
                == ["a": [2, -1.5, 4, 4]])
    }

    @Test(
        arguments: [
            ("zero", 0), ("median", 3), ("mean", 4), ("min", 2), ("max", 8),
        ] as [(String, Double)]) func gapsAreFilledFromWhatCameBefore(_ method: String, _ fill: Double) throws
    {
        let csv = "a,2018-01-01,2\na,2018-01-02,8\na,2018-01-03,2\na,2018-01-04,4\na,2018-01-07,10\nb,2018-01-09,1\n"
        let values = try Self.values(csv, ["middlefill": method, "backfill": "zero"], frequency: "D", format: .date)
        #expect(values["a"] == [2, 8, 2, 4, fill, fill, 10, 0, 0])
        #expect(values["b"] == [1])
        let back = try Self.values(csv, ["middlefill": "nan", "backfill": method], frequency: "D", format: .date)
        let expectedBack: [String: Double] = ["zero": 0, "median": 4, "mean": 5.2, "min": 2, "max": 10]
        #expect(back["a"]?.suffix(3) == [10, try #require(expectedBack[method]), try #require(expectedBack[method])])
        #expect(back["a"]?[4].isNaN == true)
    }

    @Test func rollingFillsLookAtSixtyFourEntries() throws {
        var csv = ""
        for day in 0..<70 { csv += "a,\(TimestampStyle.date.string(Int64(day) * 86_400)),\(day < 6 ? 1000 : 1)\n" }
        csv += "b,\(TimestampStyle.date.string(70 * 86_400)),1\n"
        for method in ["mean", "max", "min", "median"] {
            let values = try Self.values(csv, ["backfill": method], frequency: "D", format: .date)
            #expect(values["a"]?.last == 1)
        }
        let csvWithOneMore = csv.replacing("a,1970-03-11,1\n", with: "")
        #expect(try Self.values(csvWithOneMore, ["backfill": "max"], frequency: "D", format: .date)["a"]?.last == 1000)
    }

    @Test func parametersAreCheckedByName() {
        for parameters in [
            ["aggregation": "median"], ["frontfill": "zero"], ["middlefill": "none"], ["backfill": "value"],
            ["backfill": "value", "backfill_value": "x"], ["backfill_value": "2"], ["futurefill": "zero"],
            ["backfill": "value", "backfill_value": "inf"],
        ] {
            #expect(throws: TimeSeriesError.self) { try TargetTransformations(parameters: parameters) }
        }
    }

    @Test func effectiveParametersAreEchoed() throws {
        let defaults = TargetTransformations().effectiveParameters.map { "\($0.name)=\($0.value)" }
        #expect(defaults == ["frontfill=none", "aggregation=sum", "backfill=zero", "middlefill=zero"])
        let given = try TargetTransformations(parameters: ["backfill": "value", "backfill_value": "2"]).effectiveParameters
        #expect(given.contains { $0.name == "backfill_value" && $0.value == "2" })
    }

    @Test func aMistypedYearIsRefusedAndNotAllocated() throws {
        let csv = "a,2018-01-01 00:00:00,1\na,9999-01-01 00:00:00,1\n"
        #expect(throws: TimeSeriesError.self) { try Self.values(csv, [:], frequency: "1min") }
    }

    @Test func weeksFollowTheBoundary() throws {
        let layout = try customLayout()
        let weekly = try Frequency(parsing: "W")
        let chunks = try importChunks(
            "a,2014-12-28,1\na,2014-12-29,2\na,2015-01-04,4\na,2015-01-05,8\n", layout: layout, format: .date)
        #expect(try assemble(chunks, layout: layout, frequency: "W").map(\.values) == [[1, 6, 8]])
        let sunday = try TimeAlignmentBoundary(dayOfWeek: "SUNDAY", for: weekly)
        #expect(try assemble(chunks, layout: layout, frequency: "W", boundary: sunday).map(\.values) == [[3, 12]])
    }
}
