/// What a commit task wrote, as PostgreSQL keeps it from the moment the job is *retiring*: the root from which a
/// job's artifact is opened.
package struct CommitRecord: Sendable, Hashable {
    package struct Manifest: Sendable, Hashable {
        /// An object that the commit task reserved.
        package let object: String
        package let digest: [UInt8]
        package let generation: Int64

        package init(object: String, digest: [UInt8], generation: Int64) {
            self.object = object
            self.digest = digest
            self.generation = generation
        }
    }

    /// Nil for jobs that leave no artifact of their own (exports).
    package let manifest: Manifest?
    /// What `publish` needs besides, in the clear: counts, sizes; no value from the data.
    package let detail: JobJSON

    package init(manifest: Manifest?, detail: JobJSON = .empty) {
        self.manifest = manifest
        self.detail = detail
    }
}
