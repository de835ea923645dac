import Testing
import TimeSeries

@Suite struct CalendarTests {
    @Test(
        arguments: [
            ("1970-01-01 00:00:00", 0), ("1969-12-31 23:59:59", -1), ("2000-02-29 12:00:00", 951_825_600),
            ("2015-01-01 00:00:00", 1_420_070_400), ("2038-01-19 03:14:08", 2_147_483_648),
            ("1900-03-01 00:00:00", -2_203_891_200),
            ("0001-01-01 00:00:00", -62_135_596_800), ("9999-12-31 23:59:59", 253_402_300_799),
        ] as [(String, Int64)])
    func knownInstantsAreReadAndWritten(_ text: String, _ seconds: Int64) {
        #expect(TimestampFormat.dateTime.parse(text) == seconds)
        #expect(TimestampStyle.spaced.string(seconds) == text)
        #expect(TimestampFormat.date.parse(String(text.prefix(10))) == seconds - ((seconds % 86_400) + 86_400) % 86_400)
    }

    @Test(arguments: [
        "", "2014", "2014-1-01 00:00:00", "2014-13-01 00:00:00", "2014-00-01 00:00:00", "2014-01-00 00:00:00",
        "2014-01-32 00:00:00",
        "2014-02-29 00:00:00", "1900-02-29 00:00:00", "2014-04-31 00:00:00", "2014-01-01T00:00:00", "2014-01-01 24:00:00",
        "2014-01-01 00:60:00", "2014-01-01 00:00:60", "2014-01-01 00:00:0", "2014-01-01 00:00:000", "2014-01-01",
        "0000-01-01 00:00:00",
        "2014/01/01 00:00:00", "2014-01-01 00-00-00", "+014-01-01 00:00:00", "2014-01-01 0a:00:00", "2014-01-01  0:00:00",
        "２014-01-01 00:00",
    ]) func whatIsNoTimestampIsRefused(_ text: String) {
        #expect(TimestampFormat.dateTime.parse(text) == nil)
    }

    @Test func everyDayOfFourCenturiesRoundTrips() {
        var expected = CivilDate(year: 1800, month: 1, day: 1)
        for days in expected.daysSinceEpoch..<CivilDate(year: 2200, month: 1, day: 1).daysSinceEpoch {
            let date = CivilDate(daysSinceEpoch: days)
            guard date == expected, date.daysSinceEpoch == days else {
                Issue.record("day \(days)")
                return
            }
            let isMonthEnd = date.day == CivilDate.days(inMonth: date.month, of: date.year)
            let isYearEnd = isMonthEnd && date.month == 12
            expected = CivilDate(
                year: date.year + (isYearEnd ? 1 : 0), month: isYearEnd ? 1 : date.month + (isMonthEnd ? 1 : 0),
                day: isMonthEnd ? 1 : date.day + 1)
        }
    }

    @Test func stylesAreThoseOfTheAPI() {
        let seconds: EpochSeconds = 1_419_984_000 + 5 * 3600
        #expect(TimestampStyle.iso.string(seconds) == "2014-12-31T05:00:00")
        #expect(TimestampStyle.isoZ.string(seconds) == "2014-12-31T05:00:00Z")
        #expect(TimestampStyle.date.string(seconds) == "2014-12-31")
        #expect(TimestampStyle.fileName.string(seconds) == "2014-12-31T05-00-00Z")
        #expect(parseISOTimestamp("2014-12-31T05:00:00") == seconds)
        #expect(parseISOTimestamp("2014-12-31T05:00:00Z") == seconds)
        #expect(parseISOTimestamp("2014-12-31 05:00:00") == nil)
        #expect(parseISOTimestamp("2014-12-31T05:00") == nil)
    }
}
