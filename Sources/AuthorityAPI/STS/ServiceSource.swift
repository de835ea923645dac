import AWSProtocol
import Accounts

/// For whom the service assumes a role: signed headers that only its own principals may send.
struct ServiceSource: Sendable {
    static let maximumARNBytes = 1024
    static let maximumAddressBytes = 256
    static let maximumUserAgentBytes = 1024

    let arn: String
    let account: String
    let sourceIPAddress: String?
    let userAgent: String?

    /// Nil where none of the headers is there: the caller then acts for itself.
    ///
    /// Throws AccessDenied for anybody who is not the service, so that nobody can put on record what is not so.
    init?(_ request: AuthenticatedRequest, identity: ServiceIdentity) throws(AWSError) {
        let headers = [
            ServiceHeaders.sourceARN, ServiceHeaders.sourceAccount, ServiceHeaders.sourceIP, ServiceHeaders.userAgent,
        ]
        let values = headers.map { request.claim.signedHeader($0) }
        guard values.contains(where: { $0 != nil }) else { return nil }
        guard identity.actsAsService(request.principal) else {
            throw .accessDenied(
                "User: \(request.principal.arn) is not authorized to act as the service principal \(identity.servicePrincipal)")
        }
        guard let arnText = values[0], let account = values[1], let arn = ARN(arnText),
            arnText.utf8.count <= Self.maximumARNBytes, ARN.isAccountID(account),
            arn.service == "forecast", arn.region == identity.region, arn.account == account
        else { throw .validation("The source must be a resource of the service and its account.") }
        guard (values[2]?.utf8.count ?? 0) <= Self.maximumAddressBytes, (values[3]?.utf8.count ?? 0) <= Self.maximumUserAgentBytes
        else { throw .validation("The source address or user agent is too long.") }
        self.arn = arnText
        self.account = account
        sourceIPAddress = values[2]
        userAgent = values[3]
    }

    /// What is kept with a session of a role of `roleAccount`: that of the source, or the service's own.
    func record(_ identity: ServiceIdentity, roleAccount: String) -> SessionRecord {
        SessionRecord(
            sourceARN: arn, sourceAccount: account, viaService: identity.viaService, callerAccount: roleAccount,
            grantIsForAWSResource: true, sourceIPAddress: sourceIPAddress, userAgent: userAgent)
    }
}
