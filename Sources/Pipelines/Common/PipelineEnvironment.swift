package import Artifacts
package import Logging
package import ObjectStore
import TimeSeries

/// What the handlers of all job kinds work with. One a worker process.
package struct PipelineEnvironment: Sendable {
    /// Sizes of what is written and read.
    package struct Sizes: Sendable {
        package var frameBytes: Int
        package var chunkBytes: Int
        /// Input bytes of one import task.
        package var taskBytes: Int

        package init(frameBytes: Int, chunkBytes: Int, taskBytes: Int) {
            self.frameBytes = frameBytes
            self.chunkBytes = chunkBytes
            self.taskBytes = taskBytes
        }
    }

    let roles: RoleSessions
    let keeper: KeyLeaseKeeper
    let artifacts: any ObjectStore
    let buckets: CustomerBuckets
    let sizes: Sizes
    let limits: ChunkLimits
    private let accesses = BucketAccesses()
    let logger: Logger

    /// Throws where a size is out of bounds, naming it.
    package init(
        roles: RoleSessions, keeper: KeyLeaseKeeper, artifacts: any ObjectStore, buckets: CustomerBuckets, sizes: Sizes,
        logger: Logger
    ) throws {
        self.roles = roles
        self.keeper = keeper
        self.artifacts = artifacts
        self.buckets = buckets
        self.sizes = sizes
        limits = try ChunkLimits(chunkBytes: sizes.chunkBytes, frameBytes: sizes.frameBytes)
        self.logger = logger
    }

    /// What a session of the role may do in a bucket; nil where the role is another server's.
    func access(to bucket: BucketName, role: String, _ purpose: RoleSessions.Purpose) -> BucketAccess? {
        accesses.access(to: bucket, role: role, purpose, roles)
    }
}
