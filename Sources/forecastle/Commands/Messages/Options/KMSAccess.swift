import AWSClients
import AWSProtocol
import ArgumentParser

/// Clients of KMS by region, as whom the environment says. A key's own region is asked, whatever AWS_REGION says.
struct KMSAccess: Sendable {
    private let environment: AWSEnvironment
    private let credentials: StaticCredentials
    private let transport: HTTPTransport

    init(environment: AWSEnvironment = AWSEnvironment()) throws {
        self.environment = environment
        do {
            credentials = try environment.credentials()
        } catch {
            throw CommandFailure(
                "\(error.name) is not set: keys in KMS are used with the credentials of the environment.", .validationFailure)
        }
        do {
            transport = try environment.transport()
        } catch {
            throw CommandFailure("AWS_CA_BUNDLE: \(error)", .validationFailure)
        }
    }

    /// - Parameters: of the key's ARN, which may be a message's and so anybody's word.
    func client(partition: String, region: String) throws -> KMSClient {
        let configuration = AWSClientConfiguration(
            endpoint: try endpoint(partition: partition, region: region), region: region, credentials: credentials,
            userAgent: "forecastle-cli", attemptTimeout: .seconds(30), totalTimeout: .seconds(60))
        do {
            try configuration.validate()
        } catch {
            throw CommandFailure("The endpoint of KMS is not one: \(error.message).", .validationFailure)
        }
        return KMSClient(configuration: configuration, transport: transport)
    }

    private func endpoint(partition: String, region: String) throws -> String {
        if let named = environment[AWSEnvironment.endpointName(of: "kms")] ?? environment["AWS_ENDPOINT_URL"] { return named }
        guard let domain = Self.domains[partition], !region.isEmpty,
            region.utf8.allSatisfy({ Self.regionCharacters.contains($0) })
        else {
            throw CommandFailure(
                TerminalText.printable("KMS is not known in the partition '\(partition)', region '\(region)'."),
                .validationFailure)
        }
        return "https://kms.\(region).\(domain)"
    }

    private static let regionCharacters = Set("abcdefghijklmnopqrstuvwxyz0123456789-".utf8)
    private static let domains = [
        "aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn",
    ]
}
