import AWSClients
import AWSProtocol
import Logging
import ObjectStore
import Pipelines
import TransportSecurity

/// Where artifacts and the customers' buckets are, as the settings say: in directories or in an S3, each.
struct StoreSettings {
    /// Settings of one S3, by the beginning of their names.
    enum Place: String, CaseIterable {
        case artifacts, buckets
    }

    private let values: ConfigurationValues

    init(_ values: ConfigurationValues) {
        self.values = values
    }

    func isS3(_ place: Place) -> Bool { !values.string(Self.switchKey(place)).isEmpty }

    /// What must hold of the settings together, whatever the role of the process.
    func check() throws(ConfigurationError) {
        for place in Place.allCases where isS3(place) {
            guard values.string("\(place.rawValue).directory").isEmpty else {
                throw ConfigurationError(
                    key: "\(place.rawValue).directory", rule: "and \(Self.switchKey(place)) must not both be set")
            }
            do {
                try endpoint(place).validate()
            } catch {
                throw ConfigurationError(
                    key: "\(place.rawValue).s3.endpoint", rule: error.message.replacing("endpoint ", with: ""))
            }
            guard values.string("\(place.rawValue).s3.ca_file").isEmpty || endpoint(place).endpoint.hasPrefix("https://") else {
                throw ConfigurationError(
                    key: "\(place.rawValue).s3.ca_file", rule: "is of no use where \(place.rawValue).s3.endpoint is not https")
            }
        }
        if isS3(.artifacts) { _ = try artifactsPlace() }
    }

    // MARK: What processes make of it

    func artifacts() throws -> any ObjectStore {
        guard isS3(.artifacts) else {
            return try DirectoryObjectStore(root: try values.required("artifacts.directory"))
        }
        let (bucket, folder) = try artifactsPlace()
        let client = S3Client(
            endpoint: endpoint(.artifacts), credentials: try credentials(.artifacts), transport: try transport(.artifacts))
        return try S3ObjectStore(client: client, bucket: bucket, folder: folder, writeOnce: writeOnce(.artifacts))
    }

    func buckets() throws -> CustomerBuckets {
        guard isS3(.buckets) else {
            return .directories(try DirectoryBuckets(root: try values.required("buckets.directory")))
        }
        let buckets = S3Buckets(
            endpoint: endpoint(.buckets), transport: try transport(.buckets), writeOnce: writeOnce(.buckets))
        return .s3(buckets, areUsedAsRole ? .role : .own(try credentials(.buckets)))
    }

    /// Whether the customers' buckets are in an S3 that decides for the role itself.
    var areUsedAsRole: Bool { isS3(.buckets) && values.string("buckets.s3.credentials") == "role" }

    /// Whose the buckets are, by bucket.
    func owners() throws(ConfigurationError) -> [String: String] {
        var owners: [String: String] = [:]
        for entry in values.list("buckets.owners") {
            let parts = entry.split(separator: "=").map(String.init)
            guard parts.count == 2, ARN.isAccountID(parts[1]) else {
                throw ConfigurationError(key: "buckets.owners", rule: "must be BUCKET=ACCOUNT, separated by commas")
            }
            owners[parts[0]] = parts[1]
        }
        return owners
    }

    /// One of the customers' buckets, as Forecastle's own key or this user sees it.
    func bucket(_ name: BucketName) async throws -> any ObjectStore {
        switch try buckets() {
        case .directories(let buckets): return try await buckets.store(name)
        case .s3(let buckets, .own(let credentials)): return try await buckets.store(name, credentials: credentials)
        case .s3(_, .role):
            throw ConfigurationError(
                key: "buckets.s3.credentials", rule: "must be file: without a customer's role there is nobody to use a bucket as")
        }
    }

    /// Before a process writes artifacts: an S3 must be there and keep names from being written twice.
    func check(_ artifacts: any ObjectStore) async throws {
        if isS3(.buckets) { try await endpoint(.buckets).refuseLinkLocal() }
        guard let store = artifacts as? S3ObjectStore else { return }
        _ = try await store.checkReachable()
        try await store.checkWriteOnce()
    }

    // MARK: Settings

    func endpoint(_ place: Place) -> S3Endpoint {
        let region = values.string("\(place.rawValue).s3.region")
        return S3Endpoint(
            endpoint: values.string("\(place.rawValue).s3.endpoint"), region: region.isEmpty ? values.string("region") : region,
            addressing: .init(rawValue: values.string("\(place.rawValue).s3.addressing")) ?? .path)
    }

    private static func switchKey(_ place: Place) -> String {
        place == .artifacts ? "artifacts.s3.bucket" : "buckets.s3.endpoint"
    }

    private func artifactsPlace() throws(ConfigurationError) -> (bucket: BucketName, folder: ObjectPrefix) {
        let bucket: BucketName
        do {
            bucket = try BucketName(values.string("artifacts.s3.bucket"))
        } catch {
            throw ConfigurationError(key: "artifacts.s3.bucket", rule: "can't be used: \(error.message)")
        }
        let text = values.string("artifacts.s3.prefix")
        guard let folder = try? ObjectPrefix(text), text.isEmpty || text.hasSuffix("/") else {
            throw ConfigurationError(key: "artifacts.s3.prefix", rule: "must be empty or a folder's name that ends with a slash")
        }
        return (bucket, folder)
    }

    private func credentials(_ place: Place) throws -> any AWSCredentialsProvider {
        StaticCredentials(try CredentialsFile(path: try values.required("\(place.rawValue).s3.credentials_file")).read())
    }

    /// An S3 is believed by its own authorities or the system's and is shown no certificate: those of the installation are for its
    /// own processes.
    private func transport(_ place: Place) throws -> HTTPTransport {
        let authorities = values.string("\(place.rawValue).s3.ca_file")
        guard !authorities.isEmpty else { return HTTPTransport() }
        let logger = Logger(label: "forecastle.\(place.rawValue)")
        return HTTPTransport(tls: try ClientTLS(TLSFiles(authorities: authorities), logger: logger))
    }

    private func writeOnce(_ place: Place) -> S3ObjectStore.WriteOnce {
        .init(rawValue: values.string("\(place.rawValue).s3.write_once")) ?? .conditional
    }
}
