/// What the authority keeps with a session that the service made by assuming a customer's role, and evaluates its calls with.
package struct SessionRecord: Sendable, Hashable {
    /// The resource of the service that the session works for: `aws:SourceArn` when the role was assumed.
    package let sourceARN: String
    /// Its account, equal to the role's: `aws:SourceAccount`.
    package let sourceAccount: String
    /// `kms:ViaService` of every call, such as `forecast.us-west-2.amazonaws.com`.
    package let viaService: String
    /// `kms:CallerAccount` of every call.
    package let callerAccount: String
    /// `kms:GrantIsForAWSResource` of every call.
    package let grantIsForAWSResource: Bool
    /// Address and user agent of the request that made the service act: what the trail shows for calls of the session.
    package let sourceIPAddress: String?
    package let userAgent: String?

    package init(
        sourceARN: String, sourceAccount: String, viaService: String, callerAccount: String, grantIsForAWSResource: Bool,
        sourceIPAddress: String?, userAgent: String?
    ) {
        self.sourceARN = sourceARN
        self.sourceAccount = sourceAccount
        self.viaService = viaService
        self.callerAccount = callerAccount
        self.grantIsForAWSResource = grantIsForAWSResource
        self.sourceIPAddress = sourceIPAddress
        self.userAgent = userAgent
    }
}
