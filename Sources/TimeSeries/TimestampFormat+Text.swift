extension TimestampFormat {
    /// Seconds since 1970 of one timestamp in this form; nil for any other text.
    package func seconds(_ text: String) -> EpochSeconds? {
        var text = text
        return text.withUTF8 { bytes in
            guard let start = bytes.baseAddress else { return nil }
            var parser = TimestampParser(format: self)
            return parser.parse(start, start + bytes.count)
        }
    }
}
