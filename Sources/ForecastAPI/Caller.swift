/// Who made a request, as the authority told it after it verified the signature.
package struct Caller: Sendable {
    package var arn: String
    package var account: String
    package var sourceAddress: String
    package var userAgent: String
    package var requestID: String
    /// Whether something optional was denied: what would need it is left out of the answer.
    var lacksOptionalRights = false

    package init(arn: String, account: String, sourceAddress: String, userAgent: String, requestID: String) {
        self.arn = arn
        self.account = account
        self.sourceAddress = sourceAddress
        self.userAgent = userAgent
        self.requestID = requestID
    }
}
