/// The signed document of an export job: a predictor's backtests or a forecast into a customer's bucket.
package struct ExportDocument: Codable, Sendable, Hashable {
    package var source: ArtifactInput
    /// Name of the export job: the first part of each file's name.
    package var name: String
    package var destination: BucketLocation
    /// Seconds since 1970 when the job was accepted: the time in each file's name.
    package var acceptedAt: Int64
    /// The destination's key; nil for plain files.
    package var output: ArtifactKey?

    package init(source: ArtifactInput, name: String, destination: BucketLocation, acceptedAt: Int64, output: ArtifactKey?) {
        self.source = source
        self.name = name
        self.destination = destination
        self.acceptedAt = acceptedAt
        self.output = output
    }
}
