package import struct FoundationEssentials.Date

/// The ways in which AWS writes an instant, all in UTC and all by our own arithmetic: Foundation's formatters
/// would pull in ICU.
package enum AWSTimestamp {
    /// `20261123T132826Z`, as `X-Amz-Date` has it. Fractions are dropped.
    package static func basic(_ date: Date) -> String {
        let parts = Parts(date)
        return pad(parts.year, 4) + pad(parts.month, 2) + pad(parts.day, 2) + "T" + pad(parts.hour, 2)
            + pad(parts.minute, 2) + pad(parts.second, 2) + "Z"
    }

    /// `2026-11-23T13:28:26Z`, as the Query protocol and CloudTrail have it. Fractions are dropped.
    package static func extended(_ date: Date) -> String {
        let parts = Parts(date)
        return pad(parts.year, 4) + "-" + pad(parts.month, 2) + "-" + pad(parts.day, 2) + "T" + pad(parts.hour, 2) + ":"
            + pad(parts.minute, 2) + ":" + pad(parts.second, 2) + "Z"
    }

    /// Seconds since 1970 to the millisecond, as the JSON protocol has it.
    package static func epoch(_ date: Date) -> JSONValue {
        let milliseconds = (date.timeIntervalSince1970 * 1000).rounded()
        let seconds = milliseconds / 1000
        return Int64(exactly: seconds).map { .int($0) } ?? .double(seconds)
    }

    /// Reads `20261123T132826Z` exactly; nil for every other form and for days that the calendar does not have.
    package static func parseBasic(_ text: some StringProtocol) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
        return date(bytes[0..<4], bytes[4..<6], bytes[6..<8], bytes[9..<11], bytes[11..<13], bytes[13..<15])
    }

    /// Reads `2026-11-23T13:28:26Z`, with a fraction of up to nine digits or without.
    package static func parseExtended(_ text: some StringProtocol) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 30, bytes.last == UInt8(ascii: "Z"),
            bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[10] == UInt8(ascii: "T"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let whole = date(bytes[0..<4], bytes[5..<7], bytes[8..<10], bytes[11..<13], bytes[14..<16], bytes[17..<19])
        else { return nil }
        if bytes.count == 20 { return whole }
        guard bytes[19] == UInt8(ascii: "."), bytes.count > 21, let fraction = number(bytes[20..<(bytes.count - 1)]) else {
            return nil
        }
        var seconds = Double(fraction)
        for _ in 0..<(bytes.count - 21) { seconds /= 10 }
        return whole.addingTimeInterval(seconds)
    }

    /// Reads `Mon, 30 Nov 2026 22:06:28 GMT`, as the `Date` header of HTTP has it; the day's name is not looked at.
    package static func parseHTTP(_ text: some StringProtocol) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count == 29, String(decoding: bytes[25...], as: UTF8.self) == " GMT",
            let month = months.firstIndex(of: String(decoding: bytes[8..<11], as: UTF8.self))
        else { return nil }
        return date(
            bytes[12..<16], pad(month + 1, 2).utf8.map { $0 }[...], bytes[5..<7], bytes[17..<19], bytes[20..<22], bytes[23..<25])
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func date(
        _ year: ArraySlice<UInt8>, _ month: ArraySlice<UInt8>, _ day: ArraySlice<UInt8>, _ hour: ArraySlice<UInt8>,
        _ minute: ArraySlice<UInt8>, _ second: ArraySlice<UInt8>
    ) -> Date? {
        guard let year = number(year), let month = number(month), let day = number(day), let hour = number(hour),
            let minute = number(minute), let second = number(second),
            (1...12).contains(month), day >= 1, hour < 24, minute < 60, second < 60
        else { return nil }
        let days = daysSince1970(year: year, month: month, day: day)
        let date = Date(timeIntervalSince1970: Double(((days * 24 + hour) * 60 + minute) * 60 + second))
        // The 31st of a month of 30 days would come out as the 1st of the next.
        guard Parts(date).day == day else { return nil }
        return date
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return value
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Days of the proleptic Gregorian calendar, counted in years that start in March so that the leap day is last.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month > 2 ? year : year - 1
        let marchMonth = (month + 9) % 12
        let era = floorDivide(marchYear, 400)
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        value >= 0 ? value / divisor : -((divisor - 1 - value) / divisor)
    }

    private struct Parts {
        var year, month, day, hour, minute, second: Int

        init(_ date: Date) {
            // Years 1 to 9999; what is outside is shown as the nearest edge rather than trapped on.
            let seconds = Int(min(max(date.timeIntervalSince1970, -62_135_596_800), 253_402_300_799).rounded(.down))
            let days = floorDivide(seconds, 86_400)
            let secondOfDay = seconds - days * 86_400
            let shifted = days + 719_468
            let era = floorDivide(shifted, 146_097)
            let dayOfEra = shifted - era * 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let marchMonth = (5 * dayOfYear + 2) / 153
            day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
            month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
            year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
            hour = secondOfDay / 3600
            minute = secondOfDay / 60 % 60
            second = secondOfDay % 60
        }
    }
}
