import AWSClients
import AWSProtocol
import Foundation
import Secrets

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

    struct MissingVariable: Error, CustomStringConvertible {
        var name: String
        var description: String { "\(name) is not set: source the cluster's env file first" }
    }

    let region: String
    private let environment: [String: String]
    private let credentials: StaticCredentials
    private let transport = HTTPTransport()

    init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        self.environment = environment
        region = try Self.variable("AWS_REGION", of: environment)
        credentials = StaticCredentials(
            AWSCredentials(
                accessKeyID: try Self.variable("AWS_ACCESS_KEY_ID", of: environment),
                secretAccessKey: Redacted(try Self.variable("AWS_SECRET_ACCESS_KEY", of: environment)),
                sessionToken: environment["AWS_SESSION_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }))
    }

    private static func variable(_ name: String, of environment: [String: String]) throws -> String {
        guard let value = environment[name], !value.isEmpty else { throw MissingVariable(name: name) }
        return value
    }

    func variable(_ name: String) throws -> String { try Self.variable(name, of: environment) }

    func call(_ service: Service, _ operation: String, _ body: JSONObject) async throws -> JSONObject {
        let configuration = try configuration(for: service.rawValue)
        let caller = AWSCaller(configuration: configuration, transport: transport, signingName: service.signingName)
        do {
            return try await caller.json(target: "\(service.targetPrefix).\(operation)", body: body)
        } catch {
            throw Failure(operation: operation, error: error)
        }
    }

    /// Who the credentials are, as STS says.
    func identity() async throws -> CallerIdentity {
        let client = STSClient(configuration: try configuration(for: "sts"), transport: transport)
        do {
            return try await client.getCallerIdentity()
        } catch {
            throw Failure(operation: "GetCallerIdentity", error: error)
        }
    }

    private func configuration(for service: String) throws -> AWSClientConfiguration {
        let configuration = AWSClientConfiguration(
            endpoint: try variable("AWS_ENDPOINT_URL_\(service.uppercased())"), region: region, credentials: credentials,
            userAgent: "forecastle-cli", attemptTimeout: .seconds(30), totalTimeout: .seconds(60))
        do {
            try configuration.validate()
        } catch {
            throw Failure(operation: service, error: error)
        }
        return configuration
    }
}
