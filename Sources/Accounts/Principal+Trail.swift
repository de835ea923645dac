import AWSProtocol
package import AuditTrail

extension Principal {
    /// The `userIdentity` of this principal's calls. The service's own principals appear under the service's name.
    package func trailIdentity(_ service: ServiceIdentity) -> CloudTrailIdentity {
        if service.isOwn(self) { return .awsService(invokedBy: service.servicePrincipal) }
        switch kind {
        case .root:
            return .root(accountID: account, accessKeyID: accessKeyID)
        case .user(let user):
            return .iamUser(
                principalID: userID, arn: arn.description, accountID: account, accessKeyID: accessKeyID, userName: user.name,
                session: user.session.map {
                    .init(issuer: nil, creationDate: $0.createdAt, mfaAuthenticated: $0.mfaAt != nil)
                })
        case .assumedRole(let session):
            let issuer = CloudTrailIdentity.Session.Issuer(
                principalID: session.roleID, arn: session.roleARN.description, accountID: account,
                userName: session.roleARN.baseName)
            return .assumedRole(
                principalID: userID, arn: arn.description, accountID: account, accessKeyID: accessKeyID,
                session: .init(
                    issuer: issuer, creationDate: session.createdAt, mfaAuthenticated: session.mfaAt != nil,
                    sourceIdentity: session.sourceIdentity))
        }
    }

    /// What the trail shows as source address and user agent of a call: the service's name for its own, those of the request that made
    /// the service act for a session it made, else what the call came with.
    package func trailSource(
        sourceIP: String, userAgent: String, _ service: ServiceIdentity
    ) -> (sourceIPAddress: String, userAgent: String) {
        if service.isOwn(self) { return (service.servicePrincipal, service.servicePrincipal) }
        guard let record else { return (sourceIP, userAgent) }
        return (record.sourceIPAddress ?? service.servicePrincipal, record.userAgent ?? service.servicePrincipal)
    }
}
