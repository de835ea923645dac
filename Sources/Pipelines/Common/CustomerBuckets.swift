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
        /// A key of Forecastle's own, which may use every bucket.
        case own(any AWSCredentialsProvider)
    }

    /// Throws where there is no such bucket, or where the role can't be assumed.
    func store(
        _ bucket: BucketName, role: String, _ roles: RoleSessions, _ job: JobRecord
    ) async throws -> any ObjectStore {
        switch self {
        case .directories(let buckets):
            return try await buckets.store(bucket)
        case .s3(let buckets, .own(let credentials)):
            return try await buckets.store(bucket, credentials: credentials)
        case .s3(let buckets, .role):
            let session = roles.session(role: role, RoleSessions.Purpose(job: job.specification))
            // Now, so that a role that is gone says so itself and not as a fault of the store.
            _ = try await session.credentials()
            return try await buckets.store(bucket, credentials: session)
        }
    }
}
