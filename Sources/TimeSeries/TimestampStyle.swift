/// How a timestamp is written.
package enum TimestampStyle: Sendable {
    /// `2014-12-31`
    case date
    /// `2014-12-31 05:00:00`
    case spaced
    /// `2014-12-31T05:00:00`
    case iso
    /// `2014-12-31T05:00:00Z`
    case isoZ
    /// `2014-12-31T05-00-00Z`, for the names of exported files
    case fileName

    package func string(_ seconds: EpochSeconds) -> String {
        var bytes: [UInt8] = []
        append(seconds, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    package func append(_ seconds: EpochSeconds, to bytes: inout [UInt8]) {
        let clamped = min(max(seconds, earliestTimestamp), latestTimestamp)
        let days = Int(clamped).dividedDown(by: Int(secondsInDay))
        let secondOfDay = Int(clamped) - days * Int(secondsInDay)
        let date = CivilDate(daysSinceEpoch: days)
        Self.append(date.year / 100, to: &bytes)
        Self.append(date.year % 100, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(date.month, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(date.day, to: &bytes)
        if self == .date { return }
        bytes.append(self == .spaced ? UInt8(ascii: " ") : UInt8(ascii: "T"))
        let separator = self == .fileName ? UInt8(ascii: "-") : UInt8(ascii: ":")
        Self.append(secondOfDay / 3600, to: &bytes)
        bytes.append(separator)
        Self.append(secondOfDay / 60 % 60, to: &bytes)
        bytes.append(separator)
        Self.append(secondOfDay % 60, to: &bytes)
        if self == .isoZ || self == .fileName { bytes.append(UInt8(ascii: "Z")) }
    }

    private static func append(_ twoDigits: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(48 + twoDigits / 10))
        bytes.append(UInt8(48 + twoDigits % 10))
    }
}

/// Reads `yyyy-MM-ddTHH:mm:ss` of QueryForecast's StartDate and EndDate; a trailing `Z` is allowed.
package func parseISOTimestamp(_ text: String) -> EpochSeconds? {
    var bytes = Array(text.utf8)
    if bytes.last == UInt8(ascii: "Z") { bytes.removeLast() }
    guard bytes.count == 19, bytes[10] == UInt8(ascii: "T") else { return nil }
    bytes[10] = UInt8(ascii: " ")
    return TimestampFormat.dateTime.parse(String(decoding: bytes, as: UTF8.self))
}
