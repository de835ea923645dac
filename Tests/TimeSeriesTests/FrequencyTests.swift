import Testing
import TimeSeries

@Suite struct FrequencyTests {
    @Test(arguments: [
        ("H", 1, "H"), ("1H", 1, "H"), ("23H", 23, "23H"), ("D", 1, "D"), ("6D", 6, "6D"), ("W", 1, "W"), ("4W", 4, "4W"),
        ("M", 1, "M"),
        ("11M", 11, "11M"), ("Y", 1, "Y"), ("1Y", 1, "Y"), ("1min", 1, "1min"), ("45min", 45, "45min"), ("59min", 59, "59min"),
    ]) func legalFrequenciesAreRead(_ text: String, _ count: Int, _ written: String) throws {
        let frequency = try Frequency(parsing: text)
        #expect(frequency.count == count)
        #expect(frequency.description == written)
    }

    @Test(arguments: [
        "", "min", "0min", "60min", "24H", "7D", "5W", "12M", "2Y", "0H", "01H", "h", "1h", "1 H", "-1H", "100min", "H1", "1.5H",
        "S", "１H",
    ]) func illegalFrequenciesAreRefused(_ text: String) {
        #expect(throws: TimeSeriesError.self) { try Frequency(parsing: text) }
    }

    static func floor(
        _ text: String, _ frequency: String, _ boundary: (Frequency) throws -> TimeAlignmentBoundary = { _ in .none }
    ) throws
        -> String
    {
        let frequency = try Frequency(parsing: frequency)
        let grid = TimeGrid(frequency: frequency, boundary: try boundary(frequency))
        return TimestampStyle.spaced.string(grid.floor(try #require(TimestampFormat.dateTime.parse(text))))
    }

    @Test func timestampsAreFlooredToDefaultBoundaries() throws {
        let time = "2014-12-31 05:47:33"  // a Wednesday
        #expect(try Self.floor(time, "1min") == "2014-12-31 05:47:00")
        #expect(try Self.floor(time, "15min") == "2014-12-31 05:45:00")
        #expect(try Self.floor(time, "H") == "2014-12-31 05:00:00")
        #expect(try Self.floor(time, "2H") == "2014-12-31 04:00:00")
        #expect(try Self.floor(time, "D") == "2014-12-31 00:00:00")
        #expect(try Self.floor(time, "W") == "2014-12-29 00:00:00")
        #expect(try Self.floor(time, "M") == "2014-12-01 00:00:00")
        #expect(try Self.floor(time, "3M") == "2014-10-01 00:00:00")
        #expect(try Self.floor(time, "Y") == "2014-01-01 00:00:00")
        #expect(try Self.floor("1969-12-31 23:59:59", "D") == "1969-12-31 00:00:00")
        #expect(try Self.floor("1970-01-04 00:00:00", "W") == "1969-12-29 00:00:00")
    }

    @Test func boundariesMoveTheFloor() throws {
        let time = "2014-12-31 05:47:33"
        #expect(try Self.floor(time, "D") { try .init(hour: 6, for: $0) } == "2014-12-30 06:00:00")
        #expect(try Self.floor(time, "D") { try .init(hour: 5, for: $0) } == "2014-12-31 05:00:00")
        #expect(try Self.floor(time, "W") { try .init(dayOfWeek: "THURSDAY", for: $0) } == "2014-12-25 00:00:00")
        #expect(try Self.floor(time, "W") { try .init(dayOfWeek: "WEDNESDAY", for: $0) } == "2014-12-31 00:00:00")
        #expect(try Self.floor("2014-03-14 00:00:00", "M") { try .init(dayOfMonth: 15, for: $0) } == "2014-02-15 00:00:00")
        #expect(try Self.floor("2014-01-10 00:00:00", "M") { try .init(dayOfMonth: 15, for: $0) } == "2013-12-15 00:00:00")
        #expect(try Self.floor("2014-03-31 00:00:00", "Y") { try .init(month: "APRIL", for: $0) } == "2013-04-01 00:00:00")
        #expect(
            try Self.floor("2014-04-02 00:00:00", "Y") { try .init(month: "APRIL", dayOfMonth: 3, for: $0) }
                == "2013-04-03 00:00:00")
    }

    @Test func boundariesMustGoWithTheFrequency() throws {
        let daily = try Frequency(parsing: "D")
        #expect(throws: TimeSeriesError.self) { try TimeAlignmentBoundary(dayOfWeek: "MONDAY", for: daily) }
        #expect(throws: TimeSeriesError.self) { try TimeAlignmentBoundary(hour: 24, for: daily) }
        #expect(throws: TimeSeriesError.self) { try TimeAlignmentBoundary(month: "April", for: try Frequency(parsing: "Y")) }
        #expect(throws: TimeSeriesError.self) { try TimeAlignmentBoundary(dayOfMonth: 29, for: try Frequency(parsing: "M")) }
        #expect(throws: TimeSeriesError.self) { try TimeAlignmentBoundary(hour: 1, for: try Frequency(parsing: "H")) }
    }

    @Test(arguments: ["1min", "7min", "H", "5H", "D", "3D", "W", "4W", "M", "5M", "Y"])
    func pointsAndIndexesAgree(_ text: String) throws {
        let grid = TimeGrid(frequency: try Frequency(parsing: text))
        let start = try #require(TimestampFormat.date.parse("1960-05-17"))
        for step in 0..<500 {
            let point = grid.adding(step, to: start)
            #expect(grid.floor(point) == point)
            #expect(grid.steps(from: start, to: point) == step)
            #expect(grid.index(of: point - 1) == grid.index(of: point) - 1)
        }
    }

    @Test func finerDataCanBeAggregatedAndCoarserCannot() throws {
        #expect(try Frequency(parsing: "W").isAtLeast(Frequency(parsing: "D")))
        #expect(try Frequency(parsing: "M").isAtLeast(Frequency(parsing: "4W")))
        #expect(try !Frequency(parsing: "H").isAtLeast(Frequency(parsing: "D")))
        #expect(try Frequency(parsing: "D").isAtLeast(Frequency(parsing: "D")))
    }
}
