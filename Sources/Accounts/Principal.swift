package import AWSProtocol
package import Policies

package import struct FoundationEssentials.Date

/// Who signed a request, as the authority knows it: only `RequestAuthenticator` makes one for a caller.
package struct Principal: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// The account's root user.
        case root
        case user(User)
        case assumedRole(RoleSession)
    }

    /// A user with long-term access keys.
    package struct User: Sendable, Hashable {
        package let name: String

        package init(name: String) { self.name = name }
    }

    /// A session of a role, made by AssumeRole.
    package struct RoleSession: Sendable, Hashable {
        /// With the role's path, unlike the session's own ARN.
        package let roleARN: ARN
        /// `AROA…`.
        package let roleID: String
        package let sessionName: String
        package let createdAt: Date
        package let expiresAt: Date
        package let sourceIdentity: String?
        /// What the service put on record when it made the session for one of its resources; nil for anybody else's.
        package let record: SessionRecord?

        package init(
            roleARN: ARN, roleID: String, sessionName: String, createdAt: Date, expiresAt: Date,
            sourceIdentity: String? = nil, record: SessionRecord? = nil
        ) {
            self.roleARN = roleARN
            self.roleID = roleID
            self.sessionName = sessionName
            self.createdAt = createdAt
            self.expiresAt = expiresAt
            self.sourceIdentity = sourceIdentity
            self.record = record
        }
    }

    package let kind: Kind
    package let account: String
    /// `arn:aws:iam::ACCOUNT:user/NAME`, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` or `arn:aws:iam::ACCOUNT:root`.
    package let arn: ARN
    /// `AIDA…`, `AROA…:session`, or the account number of root.
    package let userID: String
    /// The access key that the request was signed with.
    package let accessKeyID: String

    package init(kind: Kind, account: String, arn: ARN, userID: String, accessKeyID: String) {
        self.kind = kind
        self.account = account
        self.arn = arn
        self.userID = userID
        self.accessKeyID = accessKeyID
    }
}

extension Principal {
    package var session: RoleSession? {
        if case .assumedRole(let session) = kind { session } else { nil }
    }

    package var userName: String? {
        if case .user(let user) = kind { user.name } else { nil }
    }

    /// The record of a session that the service made; its calls are evaluated with it and with nothing they claim themselves.
    package var record: SessionRecord? { session?.record }

    /// The principal as policies see it.
    package var subject: PolicySubject {
        let kind: PolicySubject.Kind =
            switch kind {
            case .root: .root
            case .user: .user
            case .assumedRole(let session): .roleSession(role: session.roleARN, roleID: session.roleID)
            }
        return PolicySubject(kind: kind, account: account, uniqueID: userID, name: arn.description)
    }

    /// The ARN that outlives sessions: of the user, the role or root. It is the one in `aws:PrincipalArn`.
    package var identityARN: ARN { session?.roleARN ?? arn }
}
