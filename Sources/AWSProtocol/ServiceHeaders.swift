/// Headers beyond AWS's own that a service principal signs when it assumes a role for a caller. The authority accepts
/// them from service principals only and keeps them on record with the session.
package enum ServiceHeaders {
    /// ARN of the resource for which the role is assumed (`aws:SourceArn`).
    package static let sourceARN = "x-amz-source-arn"
    /// Account for which it is assumed (`aws:SourceAccount`).
    package static let sourceAccount = "x-amz-source-account"
    /// Address and user agent of the request that the work was made for: the trail shows them on calls of the session.
    package static let sourceIP = "x-amz-forecastle-source-ip"
    package static let userAgent = "x-amz-forecastle-user-agent"
}
