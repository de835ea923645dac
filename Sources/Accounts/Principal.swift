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

    /// A user, with a long-term access key or with a session made by GetSessionToken.
    package struct User: Sendable, Hashable {
        package let name: String
        package let tags: IdentityTags
        /// Nil for a long-term access key.
        package let session: UserSession?

        package init(name: String, tags: IdentityTags = .none, session: UserSession? = nil) {
            self.name = name
            self.tags = tags
            self.session = session
        }
    }

    /// A session of a user, who stays the principal.
    package struct UserSession: Sendable, Hashable {
        package let createdAt: Date
        package let expiresAt: Date
        /// When the second factor was shown; nil where it was not.
        package let mfaAt: Date?

        package init(createdAt: Date, expiresAt: Date, mfaAt: Date? = nil) {
            self.createdAt = createdAt
            self.expiresAt = expiresAt
            self.mfaAt = mfaAt
        }
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
        /// The role's, with those of the session in their place.
        package let tags: IdentityTags
        /// Those of the session that a role assumed with it has too.
        package let transitiveTags: IdentityTags
        /// When the second factor was shown; nil where it was not.
        package let mfaAt: Date?

        package init(
            roleARN: ARN, roleID: String, sessionName: String, createdAt: Date, expiresAt: Date,
            sourceIdentity: String? = nil, record: SessionRecord? = nil, tags: IdentityTags = .none,
            transitiveTags: IdentityTags = .none, mfaAt: Date? = nil
        ) {
            self.roleARN = roleARN
            self.roleID = roleID
            self.sessionName = sessionName
            self.createdAt = createdAt
            self.expiresAt = expiresAt
            self.sourceIdentity = sourceIdentity
            self.record = record
            self.tags = tags
            self.transitiveTags = transitiveTags
            self.mfaAt = mfaAt
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

    /// The session of a user; nil for anybody else's and for long-term keys.
    package var userSession: UserSession? {
        if case .user(let user) = kind { user.session } else { nil }
    }

    /// `aws:PrincipalTag/K`.
    package var tags: IdentityTags {
        switch kind {
        case .root: .none
        case .user(let user): user.tags
        case .assumedRole(let session): session.tags
        }
    }

    /// When the second factor of a session was shown; nil where it was not and for long-term keys.
    package var mfaAt: Date? { session?.mfaAt ?? userSession?.mfaAt }

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
