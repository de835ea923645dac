package import AWSClients
import AWSProtocol

/// The customers' buckets of one S3.
package struct S3Buckets: Sendable {
    private let endpoint: S3Endpoint
    private let transport: any AWSTransport
    private let writeOnce: S3ObjectStore.WriteOnce

    package init(endpoint: S3Endpoint, transport: any AWSTransport, writeOnce: S3ObjectStore.WriteOnce = .conditional) {
        self.endpoint = endpoint
        self.transport = transport
        self.writeOnce = writeOnce
    }

    /// Throws `.notFound` where there is no such bucket, `.refused` where it is elsewhere.
    package func store(
        _ bucket: BucketName, credentials: any AWSCredentialsProvider
    ) async throws -> any ObjectStore {
        let client = S3Client(endpoint: endpoint, credentials: credentials, transport: transport)
        let store = try S3ObjectStore(client: client, bucket: bucket, writeOnce: writeOnce)
        do {
            _ = try await client.headBucket(bucket.name)
        } catch {
            // Who may read or write objects need not be allowed to ask for the bucket.
            guard error.code == "Forbidden" else { throw ObjectStoreError.s3(.list, bucket, error) }
        }
        return store
    }
}
