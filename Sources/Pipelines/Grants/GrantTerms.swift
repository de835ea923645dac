import FoundationEssentials
package import Jobs

/// What a grant on one artifact allows: the same at Create (asked with DryRun) and in the job.
package struct GrantTerms: Sendable, Hashable {
    package enum Use: Sendable, Hashable {
        case read, write

        package var operations: [String] {
            switch self {
            case .read: ["Decrypt"]
            case .write: ["Decrypt", "GenerateDataKey"]
            }
        }
    }

    package var artifact: ArtifactKey
    package var use: Use
    /// The customer's account: with resource and incarnation the constraint of the grant.
    package var account: String

    package init(artifact: ArtifactKey, use: Use, account: String) {
        self.artifact = artifact
        self.use = use
        self.account = account
    }

    /// Last part of the grant's name: the incarnation tells one artifact of a resource's name from the next.
    package var artifactName: String { artifact.incarnation.uuidString.lowercased() }

    /// Every data key of the artifact has these pairs in its context; the grant reaches no other.
    package var encryptionContext: [String: String] {
        [
            "forecastle:account": account, "forecastle:resource": artifact.resource,
            "forecastle:incarnation": artifact.incarnation.uuidString.lowercased(),
        ]
    }

    /// KMS takes at most 384 characters of each key and value of a constraint.
    package static let constraintCharactersMax = 384

    /// - Parameter session: of the role that will use the grant, at the server where the key lies.
    package func intent(_ role: ServicePrincipals.Role, session: String, _ roles: RoleSessions) -> GrantIntent {
        let grantee = roles.principals(at: roles.place(roleARN: artifact.roleARN)).grantee(role, session: session)
        return GrantIntent(
            artifact: artifactName, keyARN: artifact.keyARN, roleARN: artifact.roleARN, grantee: grantee,
            operations: use.operations, encryptionContext: encryptionContext)
    }
}
