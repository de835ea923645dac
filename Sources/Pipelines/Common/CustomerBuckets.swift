package import AWSClients
import Jobs
package import ObjectStore

/// The customers' buckets, and as whom they are used.
package enum CustomerBuckets: Sendable {
    case directories(DirectoryBuckets)
    case s3(S3Buckets, Identity)

    /// Who reads and writes in a customer's bucket.
    package enum Identity: Sendable {
        /// The role that the customer named, in a session of the job: the bucket's own policies decide, for this job.
        case role
        /// A key of Forecastle's own, which may use every bucket: what the role may do is the authority's to say.
        case own(any AWSCredentialsProvider)
    }

    /// What a job wants of a bucket.
    package enum Use: Sendable {
        case source
        /// Written, and looked at again to see that what lies there is the job's own: the right to write is all that takes.
        case destination
    }

    /// Throws where there is no such bucket, or where the role can't be assumed.
    func store(
        _ bucket: BucketName, for use: Use, role: String, _ environment: PipelineEnvironment, _ job: JobRecord
    ) async throws -> any ObjectStore {
        switch self {
        case .directories(let buckets):
            return guarded(try await buckets.store(bucket), bucket, for: use, role: role, environment, job)
        case .s3(let buckets, .own(let credentials)):
            return guarded(
                try await buckets.store(bucket, credentials: credentials), bucket, for: use, role: role, environment, job)
        case .s3(let buckets, .role):
            let session = environment.roles.session(role: role, RoleSessions.Purpose(job: job.specification))
            // Now, so that a role that is gone says so itself and not as a fault of the store.
            _ = try await session.credentials()
            return try await buckets.store(bucket, credentials: session)
        }
    }

    /// What the role may do is decided by the authority where no S3 does.
    private func guarded(
        _ store: any ObjectStore, _ bucket: BucketName, for use: Use, role: String, _ environment: PipelineEnvironment,
        _ job: JobRecord
    ) -> any ObjectStore {
        let purpose = RoleSessions.Purpose(job: job.specification)
        guard let access = environment.access(to: bucket, role: role, purpose) else { return store }
        return GuardedBucket(store, access, for: use)
    }
}
