import AWSProtocol
import FoundationEssentials
import Testing

@Suite struct AWSTimestampTests {
    @Test(arguments: [
        ("20261123T132826Z", "2026-11-23T13:28:26Z", 1_795_440_506.0), ("19700101T000000Z", "1970-01-01T00:00:00Z", 0),
        ("20000229T235959Z", "2000-02-29T23:59:59Z", 951_868_799), ("19691231T235959Z", "1969-12-31T23:59:59Z", -1),
        ("99991231T235959Z", "9999-12-31T23:59:59Z", 253_402_300_799),
        ("00010101T000000Z", "0001-01-01T00:00:00Z", -62_135_596_800),
    ])
    func instantsAreReadAndWritten(basic: String, extended: String, seconds: Double) {
        let date = Date(timeIntervalSince1970: seconds)
        #expect(AWSTimestamp.basic(date) == basic)
        #expect(AWSTimestamp.extended(date) == extended)
        #expect(AWSTimestamp.parseBasic(basic) == date)
        #expect(AWSTimestamp.parseExtended(extended) == date)
    }

    @Test(arguments: [
        "", "20261123", "20260230T000000Z", "20261301T000000Z", "20260100T000000Z", "20260101T240000Z", "20260101T006000Z",
        "20260101t000000Z", "20260101T000000z", "2026-01-01T00:00:00Z", "20260101T000000Z ", "٢٠٢٦0101T0000Z",
    ])
    func whatIsNoInstantIsRefused(text: String) {
        #expect(AWSTimestamp.parseBasic(text) == nil)
    }

    @Test func fractionsOfSecondsAreReadAndWrittenAsNumbers() {
        #expect(AWSTimestamp.parseExtended("1970-01-01T00:00:01.25Z") == Date(timeIntervalSince1970: 1.25))
        #expect(AWSTimestamp.parseExtended("1970-01-01T00:00:01.Z") == nil)
        #expect(AWSTimestamp.epoch(Date(timeIntervalSince1970: 1_564_533_087.907)).serializedString == "1564533087.907")
        #expect(AWSTimestamp.epoch(Date(timeIntervalSince1970: 1_564_533_087)).serializedString == "1564533087")
    }

    @Test func everyDayOfFourCenturiesComesBack() {
        for day in 0..<146_097 {
            let date = Date(timeIntervalSince1970: Double(day) * 86_400)
            guard AWSTimestamp.parseBasic(AWSTimestamp.basic(date)) == date else {
                Issue.record("Day \(day) came back as another")
                return
            }
        }
    }
}
