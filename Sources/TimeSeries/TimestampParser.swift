/// Reads timestamps strictly: fixed width, digits only, a real day, 00:00:00–23:59:59, years 0001–9999.
///
/// Rows come mostly in order, so the day read last is kept and only compared.
struct TimestampParser {
    let format: TimestampFormat
    private var cachedHead: UInt64 = 0
    private var cachedDay: UInt16 = 0
    private var cachedSeconds: EpochSeconds = 0

    init(format: TimestampFormat) { self.format = format }

    /// `start ..< end` is the whole field. nil where it is not a timestamp of the format.
    @inline(__always)
    mutating func parse(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> EpochSeconds? {
        guard end - start == format.byteCount else { return nil }
        let raw = UnsafeRawPointer(start)
        let head = raw.loadUnaligned(as: UInt64.self)
        let day = raw.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
        if head != cachedHead || day != cachedDay {
            guard let seconds = Self.date(start) else { return nil }
            cachedHead = head
            cachedDay = day
            cachedSeconds = seconds
        }
        if format == .date { return cachedSeconds }
        guard let time = Self.time(start + 10) else { return nil }
        return cachedSeconds &+ time
    }

    private static func date(_ p: UnsafePointer<UInt8>) -> EpochSeconds? {
        let hyphen = UInt8(ascii: "-")
        guard p[4] == hyphen, p[7] == hyphen,
            let century = pair(p), let yearOfCentury = pair(p + 2), let month = pair(p + 5), let day = pair(p + 8)
        else { return nil }
        let year = century * 100 + yearOfCentury
        guard year >= 1, (1...12).contains(month), day >= 1, day <= CivilDate.days(inMonth: month, of: year) else { return nil }
        return Int64(CivilDate(year: year, month: month, day: day).daysSinceEpoch) * secondsInDay
    }

    /// ` HH:mm:ss` with its leading space.
    @inline(__always)
    private static func time(_ p: UnsafePointer<UInt8>) -> EpochSeconds? {
        let colon = UInt8(ascii: ":")
        guard p[0] == UInt8(ascii: " "), p[3] == colon, p[6] == colon,
            let hour = pair(p + 1), let minute = pair(p + 4), let second = pair(p + 7),
            hour < 24, minute < 60, second < 60
        else { return nil }
        return Int64(hour &* 3600 &+ minute &* 60 &+ second)
    }

    @inline(__always)
    private static func pair(_ p: UnsafePointer<UInt8>) -> Int? {
        let tens = p[0] &- 48
        let ones = p[1] &- 48
        guard tens < 10, ones < 10 else { return nil }
        return Int(tens) &* 10 &+ Int(ones)
    }
}

extension TimestampFormat {
    /// Reads one timestamp, for settings and tests; import uses the parser.
    package func parse(_ text: String) -> EpochSeconds? {
        var parser = TimestampParser(format: self)
        return Array(text.utf8).withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return nil }
            return parser.parse(start, start + bytes.count)
        }
    }
}
