import AWSProtocol
import Catalog
import FoundationEssentials
package import Jobs
package import Logging
package import Pipelines
package import Postgres

/// What the operations work with. One a process.
package struct ForecastService: Sendable {
    package struct Configuration: Sendable {
        package var region: String
        /// Account of Forecastle's own principals: default keys and grantees are there.
        package var serviceAccount: String
        package var requireCustomerKey: Bool
        package var inheritDatasetKey: Bool
        /// Who owns a bucket: its account where it is named here, else `defaultBucketOwner`.
        package var bucketOwners: [String: String]
        package var defaultBucketOwner: String
        /// Whether each object of a bucket is decided when a worker comes to it, by an S3 or by the authority.
        package var bucketsAreGuarded: Bool
        /// Longest name of this process in its sessions.
        package var processName: String

        package init(
            region: String, serviceAccount: String, requireCustomerKey: Bool, inheritDatasetKey: Bool,
            bucketOwners: [String: String], defaultBucketOwner: String, bucketsAreGuarded: Bool = true, processName: String
        ) {
            self.region = region
            self.serviceAccount = serviceAccount
            self.requireCustomerKey = requireCustomerKey
            self.inheritDatasetKey = inheritDatasetKey
            self.bucketOwners = bucketOwners
            self.defaultBucketOwner = defaultBucketOwner
            self.bucketsAreGuarded = bucketsAreGuarded
            self.processName = processName
        }
    }

    let configuration: Configuration
    let pool: PostgresPool
    let catalog: Catalog
    let engine: JobsEngine
    let signer: SpecificationSigner
    let keys: KeyCheck
    let queries: any ArtifactQuerying
    let tokens: PageToken
    /// Whether so much waits to be published that no job may be accepted.
    let isFull: @Sendable () -> Bool
    let logger: Logger

    package init(
        configuration: Configuration, pool: PostgresPool, engine: JobsEngine, signer: SpecificationSigner, keys: KeyCheck,
        queries: any ArtifactQuerying, tokens: PageToken, isFull: @escaping @Sendable () -> Bool = { false }, logger: Logger
    ) {
        self.configuration = configuration
        self.pool = pool
        catalog = Catalog(pool: pool)
        self.engine = engine
        self.signer = signer
        self.keys = keys
        self.queries = queries
        self.tokens = tokens
        self.isFull = isFull
        self.logger = logger
    }

    /// The ARN of a resource of the caller, or of `${Account}` before the caller is known.
    func arn(_ type: ResourceType, _ path: String, account: String = "${Account}") -> String {
        "arn:aws:forecast:\(configuration.region):\(account):\(type.rawValue)/\(path)"
    }

    /// The resource that a request names, where it is of one of the types.
    func find(_ arn: String, _ types: ResourceType...) async throws -> Resource {
        guard let resource = try await catalog.find(arn), types.contains(resource.type) else {
            throw AWSError.resourceNotFound(arn)
        }
        return resource
    }

    /// Refuses a bucket of another account, in the same words as one that does not exist.
    func checkOwner(of bucket: String, caller: Caller, member: String) throws {
        guard (configuration.bucketOwners[bucket] ?? configuration.defaultBucketOwner) == caller.account else {
            throw AWSError.invalidInput("\(member): the bucket \(bucket) does not exist or belongs to another account.")
        }
    }
}

extension Resource {
    /// Throws ResourceInUseException unless the resource is ACTIVE.
    func requireActive(_ purpose: String) throws {
        guard status == .active else {
            throw AWSError.resourceInUse("\(arn) must be ACTIVE \(purpose); it is \(status.rawValue).")
        }
    }

    /// The artifact as a job reads it; nil while there is none.
    func artifact(keyARN: String) -> ArtifactInput? {
        guard let manifest else { return nil }
        return ArtifactInput(
            key: ArtifactKey(resource: arn, incarnation: incarnation, keyARN: keyARN, roleARN: encryption?.roleARN),
            manifestObject: manifest.objectName, manifestDigest: Hex.encode(manifest.digest),
            manifestGeneration: manifest.generation)
    }
}
