package import AWSProtocol
package import Accounts
package import Secrets

package import struct FoundationEssentials.Date

/// A request whose signature was verified.
package struct AuthenticatedRequest: Sendable {
    package let principal: Principal
    package let circumstances: RequestCircumstances
    package let requestID: String
    package let userAgent: String
    /// The `Host` that was signed.
    package let host: String
    /// The claim itself, for headers that the signature covers.
    package let claim: SignedRequestClaim
    /// Of the JSON services; empty otherwise.
    package let body: JSONObject
    /// The member that the service named as secret; an empty string stands in its place in `body`. Wiped after the answer.
    package let secret: SharedSecret?
    /// Of the Query services; empty otherwise.
    package let parameters: QueryParameters

    package init(
        principal: Principal, circumstances: RequestCircumstances, requestID: String, userAgent: String,
        claim: SignedRequestClaim, body: JSONObject = [:], secret: SharedSecret? = nil,
        parameters: QueryParameters = QueryParameters([:])
    ) {
        self.principal = principal
        self.circumstances = circumstances
        self.requestID = requestID
        self.userAgent = userAgent
        self.claim = claim
        self.body = body
        self.secret = secret
        self.parameters = parameters
        host = claim.signedHeader("host") ?? ""
    }

    package var sourceIP: String { circumstances.sourceIP }
    package var eventTime: Date { circumstances.time }
}
