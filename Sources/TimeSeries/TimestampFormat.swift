/// The form of the timestamps of a CSV file. Source: Amazon Forecast, CreateDatasetImportJob, TimestampFormat.
package enum TimestampFormat: String, Sendable, Hashable, CaseIterable {
    case date = "yyyy-MM-dd"
    case dateTime = "yyyy-MM-dd HH:mm:ss"

    package static let `default` = TimestampFormat.dateTime

    var byteCount: Int { self == .date ? 10 : 19 }

    /// Whether data collected at this frequency may be written so: hours and minutes need a time of day.
    package func isAllowed(for frequency: Frequency) -> Bool {
        self == .dateTime || (frequency.unit != .minute && frequency.unit != .hour)
    }
}
