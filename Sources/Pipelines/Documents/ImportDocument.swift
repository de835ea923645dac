/// The signed document of an import job: all that a worker needs and all that it may use.
package struct ImportDocument: Codable, Sendable, Hashable {
    package struct Attribute: Codable, Sendable, Hashable {
        package var name: String
        package var type: String

        package init(name: String, type: String) {
            self.name = name
            self.type = type
        }
    }

    /// ARN of the dataset, whose key and role these are.
    package var dataset: String
    package var domain: String
    package var datasetType: String
    /// In the order of the CSV's columns.
    package var schema: [Attribute]
    package var source: BucketLocation
    /// `yyyy-MM-dd` or `yyyy-MM-dd HH:mm:ss`; nil for the latter.
    package var timestampFormat: String?
    package var output: ArtifactKey

    package init(
        dataset: String, domain: String, datasetType: String, schema: [Attribute], source: BucketLocation,
        timestampFormat: String?, output: ArtifactKey
    ) {
        self.dataset = dataset
        self.domain = domain
        self.datasetType = datasetType
        self.schema = schema
        self.source = source
        self.timestampFormat = timestampFormat
        self.output = output
    }
}
