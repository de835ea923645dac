import AWSProtocol

import struct FoundationEssentials.Date

/// The date form that records of AssumeRole have for the end of a session: `Jul 18, 2014, 4:07:39 PM`, in UTC.
enum TrailDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    static func text(_ date: Date) -> String {
        // YYYYMMDDTHHMMSSZ
        let digits = Array(AWSTimestamp.basic(date))
        let number = { (range: Range<Int>) in Int(String(digits[range])) ?? 0 }
        let hour = number(9..<11)
        let clock = "\(hour % 12 == 0 ? 12 : hour % 12):\(String(digits[11..<13])):\(String(digits[13..<15]))"
        return "\(months[number(4..<6) - 1]) \(number(6..<8)), \(String(digits[0..<4])), \(clock) \(hour < 12 ? "AM" : "PM")"
    }
}
