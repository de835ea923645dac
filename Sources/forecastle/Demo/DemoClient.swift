import AWSClients
import AWSProtocol
import Foundation
import Secrets

/// A customer's client: signed JSON calls to the endpoints that `DIR/env` names, as any AWS SDK makes them.
struct DemoClient: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

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

    private let environment: [String: String]
    private let transport = HTTPTransport()

    init(environment: [String: String]) throws {
        self.environment = environment
        for name in ["AWS_ENDPOINT_URL_FORECAST", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "FORECASTLE_BUCKETS"] {
            _ = try variable(name)
        }
    }

    func variable(_ name: String) throws -> String {
        guard let value = environment[name] else {
            throw Failure(description: "\(name) is not set: source the cluster's env file first (deploy/demo does)")
        }
        return value
    }

    func call(_ service: Service, _ operation: String, _ body: JSONObject) async throws -> JSONObject {
        let credentials = AWSCredentials(
            accessKeyID: try variable("AWS_ACCESS_KEY_ID"),
            secretAccessKey: Redacted(try variable("AWS_SECRET_ACCESS_KEY")), sessionToken: nil)
        let caller = AWSCaller(
            configuration: .init(
                endpoint: try variable("AWS_ENDPOINT_URL_\(service.rawValue.uppercased())"),
                region: try variable("AWS_REGION"), credentials: StaticCredentials(credentials), userAgent: "forecastle-demo"),
            transport: transport, signingName: service.signingName)
        do {
            return try await caller.json(target: "\(service.targetPrefix).\(operation)", body: body)
        } catch {
            throw Failure(description: "\(operation): \(error)")
        }
    }
}
