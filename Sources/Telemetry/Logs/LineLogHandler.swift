import FoundationEssentials
import Glibc
package import Logging

/// Writes each event as one line to standard error: for people, or as JSON.
///
/// Whatever a line holds, it stays one line (control characters are escaped), no field is longer than `fieldBytes`, and it has
/// at most `fields` of them. A field whose name says that it holds a secret is not written, whoever logged it.
package struct LineLogHandler: LogHandler {
    package enum Format: String, Sendable { case text, json }

    package static let fieldBytes = 4096
    package static let fields = 64
    private static let secrets: Set<String> = [
        "authorization", "password", "secret", "secret_key", "plaintext", "token", "grant_token", "session_token",
        "x-amz-security-token",
    ]

    package var logLevel: Logger.Level = .info
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: Format
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes a line with its end.
    package init(
        label: String, format: Format, metadataProvider: Logger.MetadataProvider? = LogScope.provider,
        write: @escaping @Sendable (String) -> Void = Self.writeToStandardError
    ) {
        self.label = label
        self.format = format
        self.metadataProvider = metadataProvider
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        // What the line itself says stands over what its surroundings do.
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all[LogField.error] = all[LogField.error] ?? "\(error)" }
        let shown = all.sorted { $0.key < $1.key }.prefix(Self.fields).map { key, value in
            (Self.bounded(key), Self.secrets.contains(key.lowercased()) ? "<redacted>" : Self.bounded("\(value)"))
        }
        let message = Self.bounded("\(event.message)")
        let time = Self.timestamp(Date())
        switch format {
        case .json: write(Self.json(time, event.level, label, message, shown))
        case .text: write(Self.text(time, event.level, label, event.source, message, shown))
        }
    }

    private static func text(
        _ time: String, _ level: Logger.Level, _ label: String, _ source: String, _ message: String,
        _ fields: [(String, String)]
    ) -> String {
        let fields = fields.map { " \(escaped($0.0, quotes: false))=\(escaped($0.1, quotes: false))" }.joined()
        return "\(time) \(level) \(label):\(fields) [\(source)] \(escaped(message, quotes: false))\n"
    }

    /// Fields that would hide one of the line's own get `field_` before their name.
    private static func json(
        _ time: String, _ level: Logger.Level, _ label: String, _ message: String, _ fields: [(String, String)]
    ) -> String {
        var line = "{\"time\":\"\(time)\",\"level\":\"\(level)\",\"logger\":\"\(escaped(label, quotes: true))\""
        line += ",\"message\":\"\(escaped(message, quotes: true))\""
        for (key, value) in fields {
            let name = ["time", "level", "logger", "message"].contains(key) ? "field_" + key : key
            line += ",\"\(escaped(name, quotes: true))\":\"\(escaped(value, quotes: true))\""
        }
        return line + "}\n"
    }

    private static func bounded(_ text: String) -> String {
        guard text.utf8.count > fieldBytes else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: fieldBytes)
        // A character is not cut in two.
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end]) + "…"
    }

    /// As JSON escapes; without `quotes` only what would break the line or move the cursor.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x20..<0x7F).contains(byte) && (!quotes || (byte != 0x22 && byte != 0x5C))
        }
        if isPlain { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\"" where quotes, "\\" where quotes:
                result += "\\"
                result.unicodeScalars.append(scalar)
            // C0, DEL, C1, and the two line ends of Unicode that some readers of logs split at.
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// UTC, to the millisecond.
    private static func timestamp(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// In one call of the system, so that lines of several threads and processes do not mix.
    package static let writeToStandardError: @Sendable (String) -> Void = { line in
        var line = line
        line.withUTF8 { bytes in
            var sent = 0
            while sent < bytes.count {
                let count = Glibc.write(STDERR_FILENO, bytes.baseAddress.map { $0 + sent }, bytes.count - sent)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { return }
                sent += count
            }
        }
    }
}
