import ArgumentParser

/// A number of bytes as people write it: `65536`, `64KiB`, `1MiB`.
struct ByteCount: ExpressibleByArgument, CustomStringConvertible {
    let bytes: Int

    init(_ bytes: Int) { self.bytes = bytes }

    private static let units: KeyValuePairs = ["kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "b": 1]

    /// Nil where it is not a number of bytes, or one that no file has.
    init?(argument: String) {
        let text = argument.lowercased()
        let unit = Self.units.first { text.hasSuffix($0.key) }
        guard let number = Self.digits(text.dropLast(unit?.key.count ?? 0)) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit?.value ?? 1)
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    /// `Int` alone would read a sign as well.
    static func digits(_ text: some StringProtocol) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
    }

    /// The shortest way to write it.
    var description: String {
        for unit in Self.units where unit.value > 1 {
            let next = bytes / unit.value
            if bytes % unit.value == 0, (1..<1024).contains(next) {
                return "\(next)\(unit.key.prefix(1).uppercased())iB"
            }
        }
        return "\(bytes)"
    }

    var defaultValueDescription: String { description }
}
