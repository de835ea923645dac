package import AuditTrail

/// Who changes accounts, users, keys and roles, for the trail.
package struct AdminActor: Sendable {
    package let identity: CloudTrailIdentity
    package let sourceIPAddress: String
    package let userAgent: String

    package init(identity: CloudTrailIdentity, sourceIPAddress: String, userAgent: String) {
        self.identity = identity
        self.sourceIPAddress = sourceIPAddress
        self.userAgent = userAgent
    }

    /// Somebody with access to the authority's database and vault, at the command line: no principal of any account.
    package static let commandLine = AdminActor(
        identity: .awsService(invokedBy: "admin.forecastle"), sourceIPAddress: "admin.forecastle", userAgent: "forecastle admin")
}
