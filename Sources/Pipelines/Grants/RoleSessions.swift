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

    /// Sessions kept at once; the oldest go first.
    package static let sessionsMax = 1024
    private static let sessionLife: Duration = .seconds(3600)

    private struct Key: Hashable {
        var role: String
        var purpose: Purpose?
        var session: String
        var place: KeyPlace
    }

    /// The service's principals at the authority.
    package let principals: ServicePrincipals
    private let authority: String
    private let elsewhere: KeysElsewhere?
    private let transport: any AWSTransport
    private let process: any AWSCredentialsProvider
    private let sessions = Mutex<(kept: [Key: AssumedRoleCredentials], order: [Key])>(([:], []))

    /// - Parameters:
    ///   - authority: its endpoint. The service's own roles and default keys are there, and customers' roles and keys
    ///     unless `elsewhere` says where they are.
    ///   - process: the access key of the process's own principal at the authority.
    package init(
        principals: ServicePrincipals, authority: String, process: any AWSCredentialsProvider, transport: any AWSTransport,
        elsewhere: KeysElsewhere? = nil
    ) {
        self.principals = principals
        self.authority = authority
        self.process = process
        self.transport = transport
        self.elsewhere = elsewhere
    }

    // MARK: Places

    /// Whether customers' keys and roles are not at the authority.
    package var hasKeysElsewhere: Bool { elsewhere != nil }

    /// Where an artifact's key lies: a default key, which no role reaches, at the authority always.
    package func place(roleARN: String?) -> KeyPlace {
        roleARN == nil || elsewhere == nil ? .authority : .elsewhere
    }

    /// Where a key lies of which no more than its name is known. Default keys are in the service's account; no account with
    /// keys elsewhere may have the same number.
    package func place(keyARN: String) -> KeyPlace {
        elsewhere == nil || ARN(keyARN)?.account == principals.account ? .authority : .elsewhere
    }

    package func principals(at place: KeyPlace) -> ServicePrincipals {
        switch place {
        case .authority: principals
        case .elsewhere: elsewhere?.principals ?? principals
        }
    }

    // MARK: Clients

    /// KMS as a customer's role. Throws AccessDenied where the role or its trust is gone.
    package func kms(role: String, _ purpose: Purpose) async throws -> KMSClient {
        let session = customer(role: role, purpose)
        _ = try await session.credentials()
        return kms(at: place(roleARN: role), session)
    }

    /// Credentials of a customer's role.
    package func credentials(role: String, _ purpose: Purpose) async throws -> AWSCredentials {
        try await customer(role: role, purpose).credentials()
    }

    /// A customer's role, asked for credentials whenever some are needed.
    package func session(role: String, _ purpose: Purpose) -> any AWSCredentialsProvider { customer(role: role, purpose) }

    /// The authority as a customer's role: what that role may do in buckets of which no S3 decides. Nil where the role is another
    /// server's.
    package func authority(role: String, _ purpose: Purpose) -> AuthorityClient? {
        guard elsewhere == nil else { return nil }
        return AuthorityClient(configuration: configuration(at: authority, customer(role: role, purpose)), transport: transport)
    }

    /// KMS as one of the service's own roles: the grantee of a job or of reading, or the sweeper.
    package func kms(_ role: ServicePrincipals.Role, session: String, at place: KeyPlace) -> KMSClient {
        let arn = principals(at: place).roleARN(role)
        let credentials = keep(Key(role: arn, purpose: nil, session: session, place: place)) { sts in
            try await sts.assumeRole(AssumeRoleRequest(roleARN: arn, sessionName: session, duration: Self.sessionLife))
        }
        return kms(at: place, credentials)
    }

    /// KMS of the authority as the process itself: grants on default keys.
    package var ownKMS: KMSClient { kms(at: .authority, process) }

    /// Whether a service knows the session no more: the role was deleted after it was made.
    package static func isGone(_ error: AWSError) -> Bool {
        ["UnrecognizedClientException", "InvalidClientTokenId"].contains(error.code)
    }

    /// Drops a customer's session: whoever asks next assumes the role anew, and hears what is true of it now.
    package func forget(role: String, _ purpose: Purpose) {
        let key = customerKey(role: role, purpose)
        sessions.withLock { state in
            state.kept[key] = nil
            state.order.removeAll { $0 == key }
        }
    }

    private func customerKey(role: String, _ purpose: Purpose) -> Key {
        Key(role: role, purpose: purpose, session: purpose.sessionName, place: place(roleARN: role))
    }

    private func customer(role: String, _ purpose: Purpose) -> AssumedRoleCredentials {
        let key = customerKey(role: role, purpose)
        var request = AssumeRoleRequest(roleARN: role, sessionName: purpose.sessionName, duration: Self.sessionLife)
        guard let elsewhere else {
            request.sourceARN = purpose.sourceARN
            request.sourceAccount = purpose.sourceAccount
            request.forwarding = .init(sourceIP: purpose.sourceAddress, userAgent: purpose.userAgent)
            return keep(key) { [request] sts in try await sts.assumeRole(request) }
        }
        return keep(key) { [request] sts in
            var request = request
            request.externalID = try await elsewhere.externalID(purpose.sourceAccount)
            return try await sts.assumeRole(request)
        }
    }

    private func keep(
        _ key: Key, _ assume: @escaping @Sendable (STSClient) async throws -> AssumedRole
    ) -> AssumedRoleCredentials {
        let sts: STSClient
        if key.place == .elsewhere, let elsewhere {
            sts = STSClient(configuration: configuration(at: elsewhere.stsEndpoint, elsewhere.process), transport: transport)
        } else {
            sts = STSClient(configuration: configuration(at: authority, process), transport: transport)
        }
        let made = AssumedRoleCredentials { try await assume(sts) }
        return sessions.withLock { state in
            if let kept = state.kept[key] { return kept }
            state.kept[key] = made
            state.order.append(key)
            if state.order.count > Self.sessionsMax { state.kept[state.order.removeFirst()] = nil }
            return made
        }
    }

    private func kms(at place: KeyPlace, _ credentials: any AWSCredentialsProvider) -> KMSClient {
        let endpoint = place == .elsewhere ? elsewhere?.kmsEndpoint ?? authority : authority
        return KMSClient(configuration: configuration(at: endpoint, credentials), transport: transport)
    }

    private func configuration(at endpoint: String, _ credentials: any AWSCredentialsProvider) -> AWSClientConfiguration {
        AWSClientConfiguration(
            endpoint: endpoint, region: principals.region, credentials: credentials,
            userAgent: "forecast.amazonaws.com")
    }
}
