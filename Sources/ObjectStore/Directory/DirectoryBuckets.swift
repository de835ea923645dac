import CLinux
import Glibc

/// The customers' buckets of this machine: each folder of `root` whose name is a bucket's name is one, and its files
/// are its objects, as people put them there.
package struct DirectoryBuckets: Sendable {
    private let root: Folder
    private let pool: BlockingPool

    /// The folder must exist. Throws `.notFound` or `.denied`.
    package init(root: String, pool: BlockingPool = .shared) throws {
        self.root = try Folder(path: root)
        self.pool = pool
    }

    /// Throws `.notFound` where there is no such bucket, `.refused` where its name is a symbolic link.
    package func store(_ bucket: BucketName) async throws -> any ObjectStore {
        try await pool.run { [self] in
            do {
                return DirectoryObjectStore(folder: try root.subfolder(bucket.name), options: .bucket, pool: pool)
            } catch let error as ObjectStoreError where error.code == .notFound {
                throw ObjectStoreError(.notFound, "there is no bucket \(bucket)", cause: error.cause)
            }
        }
    }
}
