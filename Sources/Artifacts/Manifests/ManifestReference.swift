/// What the database holds of an artifact: enough to know the one manifest that is meant.
package struct ManifestReference: Sendable, Hashable {
    package let objectName: String
    /// SHA-256 of the whole object.
    package let digest: [UInt8]
    /// Counts the manifests of a resource upwards, so that an older one is told from the current.
    package let generation: Int64
    /// ARN of the key that manifest and chunks are under.
    package let keyARN: String

    package init(objectName: String, digest: [UInt8], generation: Int64, keyARN: String) {
        self.objectName = objectName
        self.digest = digest
        self.generation = generation
        self.keyARN = keyARN
    }
}
