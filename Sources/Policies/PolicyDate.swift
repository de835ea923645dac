/// Dates of conditions: `2026-11-23`, `2026-11-23T13:28Z`, `2026-11-23T13:28:26.5+01:00`, or seconds since 1970.
enum PolicyDate {
    /// Seconds since 1970-01-01T00:00:00Z.
    static func seconds(_ text: String) -> Double? {
        if let number = ConditionValue.number(text), !text.contains("-") || text.hasPrefix("-") { return number }
        var scanner = Scanner(rest: Substring(text))
        guard let year = scanner.digits(4), scanner.take("-"), let month = scanner.digits(2), scanner.take("-"),
            let day = scanner.digits(2), (1...12).contains(month), (1...daysIn(month: month, year: year)).contains(day)
        else { return nil }
        var seconds = Double(days(year: year, month: month, day: day)) * 86_400
        guard !scanner.isAtEnd else { return seconds }
        guard scanner.take("T"), let hour = scanner.digits(2), scanner.take(":"), let minute = scanner.digits(2),
            hour < 24, minute < 60
        else { return nil }
        seconds += Double(hour * 3600 + minute * 60)
        if scanner.take(":") {
            guard let second = scanner.digits(2), second <= 60 else { return nil }
            seconds += Double(second)
            if scanner.take(".") {
                guard let fraction = scanner.fraction() else { return nil }
                seconds += fraction
            }
        }
        guard let offset = scanner.offset(), scanner.isAtEnd else { return nil }
        return seconds - Double(offset)
    }

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func daysIn(month: Int, year: Int) -> Int {
        month == 2 ? (isLeap(year) ? 29 : 28) : [31, 0, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// Days since 1970-01-01, counting years from March so that the leap day is the last of a year.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let y = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return 365 * y + y / 4 - y / 100 + y / 400 + dayOfYear - 719_468
    }

    private struct Scanner {
        var rest: Substring

        var isAtEnd: Bool { rest.isEmpty }

        mutating func take(_ character: Character) -> Bool {
            guard rest.first == character else { return false }
            rest.removeFirst()
            return true
        }

        mutating func digits(_ count: Int) -> Int? {
            let part = rest.prefix(count)
            guard part.utf8.count == count, part.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            rest = rest.dropFirst(count)
            return Int(part)
        }

        mutating func fraction() -> Double? {
            let part = rest.prefix(while: { ("0"..."9").contains($0) })
            guard !part.isEmpty, part.count <= 9 else { return nil }
            rest = rest.dropFirst(part.count)
            return Double("0." + part)
        }

        /// Seconds east of Greenwich; none given means Greenwich.
        mutating func offset() -> Int? {
            if isAtEnd || take("Z") { return 0 }
            let sign = take("+") ? 1 : (take("-") ? -1 : 0)
            guard sign != 0, let hours = digits(2), hours <= 14 else { return nil }
            _ = take(":")
            guard let minutes = digits(2), minutes < 60 else { return nil }
            return sign * (hours * 3600 + minutes * 60)
        }
    }
}
