package import AWSClients
package import AWSProtocol
import Synchronization

/// Sessions that a process of the service acts with: customers' roles, each for one purpose, and the service's own roles.
///
/// Credentials are kept for a purpose and renewed at two thirds of their life under the same session name.
package final class RoleSessions: Sendable {
    /// For which resource a customer's role is assumed, and on whose request.
    package struct Purpose: Sendable, Hashable {
        /// `forecast-<job>`; without a job, `forecast-<incarnation>`.
        package var sessionName: String
        package var sourceARN: String
        package var sourceAccount: String
        package var sourceAddress: String
        package var userAgent: String

        /// Address and user agent of what the service does of its own accord.
        package static let service = "forecast.amazonaws.com"

        package init(
            sessionName: String, sourceARN: String, sourceAccount: String, sourceAddress: String, userAgent: String
        ) {
            self.sessionName = sessionName
            self.sourceARN = sourceARN
            self.sourceAccount = sourceAccount
            self.sourceAddress = sourceAddress
            self.userAgent = userAgent
        }
    }

    /// Where the service's calls go.
    package struct Endpoints: Sendable {
        /// The authority: the service's own roles and default keys.
        package var authority: String
        /// KMS and STS of the customers' keys and roles: the authority, or AWS.
        package var keys: String
        package var sts: String
        package var region: String

        package init(authority: String, keys: String, sts: String, region: String) {
            self.authority = authority
            self.keys = keys
            self.sts = sts
            self.region = region
        }
    }

    /// Sessions kept at once; the oldest go first.
    package static let sessionsMax = 1024
    private static let sessionLife: Duration = .seconds(3600)

    private struct Key: Hashable {
        var role: String
        var purpose: Purpose?
        var session: String
    }

    package let principals: ServicePrincipals
    private let endpoints: Endpoints
    private let transport: any AWSTransport
    private let process: any AWSCredentialsProvider
    private let sessions = Mutex<(kept: [Key: AssumedRoleCredentials], order: [Key])>(([:], []))

    /// - Parameter process: the access key of the process's own principal.
    package init(
        principals: ServicePrincipals, endpoints: Endpoints, process: any AWSCredentialsProvider, transport: any AWSTransport
    ) {
        self.principals = principals
        self.endpoints = endpoints
        self.process = process
        self.transport = transport
    }

    /// KMS as a customer's role. Throws AccessDenied where the role or its trust is gone.
    package func kms(role: String, _ purpose: Purpose) async throws -> KMSClient {
        let session = customer(role: role, purpose)
        _ = try await session.credentials()
        return client(at: endpoints.keys, session)
    }

    /// Credentials of a customer's role, for a check that it can be assumed.
    package func credentials(role: String, _ purpose: Purpose) async throws -> AWSCredentials {
        try await customer(role: role, purpose).credentials()
    }

    /// KMS as one of the service's own roles: the grantee of a job or of reading, or the sweeper.
    package func kms(serviceRole: String, session: String) -> KMSClient {
        let credentials = keep(Key(role: serviceRole, purpose: nil, session: session)) {
            AssumeRoleRequest(roleARN: self.principals.roleARN(serviceRole), sessionName: session, duration: Self.sessionLife)
        }
        return client(at: endpoints.keys, credentials)
    }

    /// KMS of the authority as the process itself: grants on default keys.
    package var ownKMS: KMSClient { client(at: endpoints.authority, process) }

    private func customer(role: String, _ purpose: Purpose) -> AssumedRoleCredentials {
        keep(Key(role: role, purpose: purpose, session: purpose.sessionName)) {
            AssumeRoleRequest(
                roleARN: role, sessionName: purpose.sessionName, duration: Self.sessionLife, sourceARN: purpose.sourceARN,
                sourceAccount: purpose.sourceAccount,
                forwarding: .init(sourceIP: purpose.sourceAddress, userAgent: purpose.userAgent))
        }
    }

    private func keep(_ key: Key, _ request: () -> AssumeRoleRequest) -> AssumedRoleCredentials {
        let made = AssumedRoleCredentials(
            sts: STSClient(configuration: configuration(at: endpoints.sts, process), transport: transport), request: request())
        return sessions.withLock { state in
            if let kept = state.kept[key] { return kept }
            state.kept[key] = made
            state.order.append(key)
            if state.order.count > Self.sessionsMax { state.kept[state.order.removeFirst()] = nil }
            return made
        }
    }

    private func client(at endpoint: String, _ credentials: any AWSCredentialsProvider) -> KMSClient {
        KMSClient(configuration: configuration(at: endpoint, credentials), transport: transport)
    }

    private func configuration(at endpoint: String, _ credentials: any AWSCredentialsProvider) -> AWSClientConfiguration {
        AWSClientConfiguration(
            endpoint: endpoint, region: endpoints.region, credentials: credentials,
            userAgent: "forecast.amazonaws.com")
    }
}
