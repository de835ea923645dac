import AWSClients
import AWSProtocol

/// Signed JSON calls with the credentials and endpoints of the environment, as any AWS SDK makes them: whoever sources a
/// cluster's env file is a customer.
struct EnvironmentClient: Sendable {
    enum Service: String {
        case forecast, forecastquery, kms, cloudtrail

        var targetPrefix: String {
            switch self {
            case .forecast: "AmazonForecast"
            case .forecastquery: "AmazonForecastRuntime"
            case .kms: "TrentService"
            case .cloudtrail: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"
            }
        }

        var signingName: String { self == .forecastquery ? "forecast" : rawValue }
    }

    /// A call that did not succeed.
    struct Failure: Error, CustomStringConvertible {
        var operation: String
        var error: AWSError
        var description: String { "\(operation): \(error.code): \(error.message)" }
    }

    let region: String
    private let environment: AWSEnvironment
    private let credentials: StaticCredentials
    private let transport: HTTPTransport
    /// How often a call is tried; one attempt shows every error as it is.
    private let attempts: RetryPolicy
    private let attemptTimeout: Duration

    init(
        environment: AWSEnvironment = AWSEnvironment(), retries: RetryPolicy = RetryPolicy(),
        attemptTimeout: Duration = .seconds(30)
    ) throws {
        attempts = retries
        self.attemptTimeout = attemptTimeout
        self.environment = environment
        region = try environment.required("AWS_REGION")
        credentials = try environment.credentials()
        transport = try environment.transport()
    }

    func variable(_ name: String) throws -> String { try environment.required(name) }

    func call(_ service: Service, _ operation: String, _ body: JSONObject) async throws -> JSONObject {
        let configuration = try configuration(for: service.rawValue)
        let caller = AWSCaller(configuration: configuration, transport: transport, signingName: service.signingName)
        do {
            return try await caller.json(target: "\(service.targetPrefix).\(operation)", body: body)
        } catch {
            throw Failure(operation: operation, error: error)
        }
    }

    /// For what needs more of KMS than JSON: data keys go into locked memory.
    func kms() throws -> KMSClient { KMSClient(configuration: try configuration(for: "kms"), transport: transport) }

    func sts() throws -> STSClient { STSClient(configuration: try configuration(for: "sts"), transport: transport) }

    /// A Query call of IAM or STS.
    func query(_ service: String, _ action: String, _ parameters: [String: String] = [:]) async throws -> XMLElement {
        let caller = AWSCaller(configuration: try configuration(for: service), transport: transport, signingName: service)
        let version = ["Action": action, "Version": service == "sts" ? "2011-06-15" : "2010-05-08"]
        do {
            return try await caller.query(QueryParameters(parameters.merging(version) { $1 }))
        } catch {
            throw Failure(operation: action, error: error)
        }
    }

    /// Who the credentials are, as STS says.
    func identity() async throws -> CallerIdentity {
        let client = try sts()
        do {
            return try await client.getCallerIdentity()
        } catch {
            throw Failure(operation: "GetCallerIdentity", error: error)
        }
    }

    private func configuration(for service: String) throws -> AWSClientConfiguration {
        let configuration = AWSClientConfiguration(
            endpoint: try variable(AWSEnvironment.endpointName(of: service)), region: region, credentials: credentials,
            userAgent: "forecastle-cli", attemptTimeout: attemptTimeout, totalTimeout: attemptTimeout * 2, retries: attempts)
        do {
            try configuration.validate()
        } catch {
            throw Failure(operation: service, error: error)
        }
        return configuration
    }
}
