import AWSClients
import AWSProtocol
import Artifacts
import ForecastAPI
import Foundation
import Pipelines
import Postgres
import Secrets

/// Where customers' keys and roles live, as the settings say: at the authority, or at AWS.
struct KeyServers {
    private let values: ConfigurationValues

    init(_ values: ConfigurationValues) {
        self.values = values
    }

    /// Renewal of key leases where nobody announces what was revoked.
    static let leaseElsewhere: Duration = .seconds(5)

    /// Whether customers' keys and roles are at another server than the authority.
    var areElsewhere: Bool { !values.string("keys.endpoint").isEmpty }

    /// What must hold of the settings together, whatever the role of the process.
    func check() throws(ConfigurationError) {
        // Credentials of one server's STS are no good at another's KMS.
        guard values.string("keys.endpoint").isEmpty == values.string("sts.endpoint").isEmpty else {
            throw ConfigurationError(key: "sts.endpoint", rule: "and keys.endpoint must be set both, or neither")
        }
        guard areElsewhere else { return }
        for key in ["keys.endpoint", "sts.endpoint", "iam.endpoint"] { try checkEndpoint(key) }
        for key in Self.roleKeys where !values.string(key).isEmpty { _ = try role(key) }
        let accounts = Set(Self.roleKeys.compactMap { ARN(values.string($0))?.account })
        guard !accounts.contains(values.string("service_account")) else {
            throw ConfigurationError(
                key: "service_account", rule: "must not be the number of an account there: it tells default keys from others")
        }
    }

    private static let roleKeys = ["keys.worker_role", "keys.reader_role", "keys.sweeper_role"]

    private func checkEndpoint(_ key: String) throws(ConfigurationError) {
        do {
            try client(key, StaticCredentials(AWSCredentials(accessKeyID: "", secretAccessKey: .init("")))).validate()
        } catch {
            throw ConfigurationError(key: key, rule: error.message.replacing("endpoint ", with: ""))
        }
    }

    private func role(_ key: String) throws(ConfigurationError) -> ARN {
        guard let arn = ARN(values.string(key)), arn.service == "iam", arn.resourceType == "role",
            ARN.isAccountID(arn.account)
        else { throw ConfigurationError(key: key, rule: "must be the ARN of a role") }
        return arn
    }

    private func client(_ endpoint: String, _ credentials: any AWSCredentialsProvider) -> AWSClientConfiguration {
        AWSClientConfiguration(
            endpoint: values.string(endpoint), region: values.string("iam.region"), credentials: credentials,
            userAgent: "forecast.amazonaws.com")
    }

    // MARK: What processes make of it

    /// The renewal of key leases: as set; where it is not, longer at AWS, which every lease asks.
    var lease: Duration {
        let isDefault = values.values["worker.key_lease_ms"]?.origin == .defaultValue
        return areElsewhere && isDefault ? Self.leaseElsewhere : values.duration(milliseconds: "worker.key_lease_ms")
    }

    /// - Parameter pool: of the jobs database, where ExternalIds are.
    func elsewhere(pool: PostgresPool) throws -> KeysElsewhere? {
        guard areElsewhere else { return nil }
        for key in Self.roleKeys { _ = try values.required(key) }
        let credentials = try CredentialsFile(path: try values.required("aws.credentials_file")).read()
        let ids = ExternalIDs(pool: pool)
        return KeysElsewhere(
            kmsEndpoint: values.string("keys.endpoint"), stsEndpoint: values.string("sts.endpoint"),
            principals: ServicePrincipals(
                region: values.string("region"), worker: try role("keys.worker_role"), reader: try role("keys.reader_role"),
                sweeper: try role("keys.sweeper_role")),
            process: StaticCredentials(credentials), externalID: { try await ids.externalID(of: $0) })
    }

    /// Nil where the authority has all keys and roles.
    func callerRights(roles: RoleSessions, transport: any AWSTransport) throws -> CallerRights? {
        guard areElsewhere else { return nil }
        let check: CallerRights.Check
        switch values.string("keys.caller_check") {
        case "none": check = .none
        case "map": check = .map
        case "simulate":
            check = .simulate { credentials in
                IAMClient(configuration: client("iam.endpoint", credentials), transport: transport)
            }
        default: check = .refuse
        }
        return CallerRights(check: check, map: try callers(), roles: roles)
    }

    /// The map of callers; an empty one where no file is named.
    func callers() throws -> CallerMap {
        let path = values.string("keys.callers_file")
        guard !path.isEmpty else {
            guard !["simulate", "map"].contains(values.string("keys.caller_check")) else {
                throw ConfigurationError(key: "keys.callers_file", rule: "must be set where keys.caller_check is simulate or map")
            }
            return CallerMap()
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError(key: "keys.callers_file", rule: "names a file that can't be read: \(path)")
        }
        do {
            return try CallerMap(json: Array(data))
        } catch let error as AWSError {
            throw ConfigurationError(key: "keys.callers_file", rule: "can't be used: \(error.message)")
        }
    }
}
