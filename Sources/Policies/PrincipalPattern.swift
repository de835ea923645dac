import AWSProtocol

/// How closely a Principal element names a subject. It matters, because an Allow to the account only delegates to the
/// account's own policies, and one to a role is limited by the session's policy while one to the session is not.
enum PrincipalMatch: Int, Comparable {
    case none
    /// The subject's account is named.
    case account
    /// `*`.
    case anyone
    /// The role is named whose session the subject is.
    case role
    /// The user, the session, the account's root user or the service itself.
    case exact

    static func < (a: PrincipalMatch, b: PrincipalMatch) -> Bool { a.rawValue < b.rawValue }
}

/// One entry of a Principal element.
package enum PrincipalPattern: Sendable, Hashable {
    case anyone
    /// An account number, or `arn:aws:iam::ACCOUNT:root`.
    case account(String)
    /// A user, a role, a session of a role or a federated user.
    case arn(String)
    /// The unique id of a user or role, which survives nobody of the same name.
    case uniqueID(String)
    case service(String)
    /// An identity provider; known to the grammar, matched by nobody here.
    case federated(String)

    func match(_ subject: PolicySubject) -> PrincipalMatch {
        switch self {
        case .anyone:
            return .anyone
        case .service(let name):
            if case .service(let own) = subject.kind, sameBytes(name, own) { return .exact }
            return .none
        case .federated:
            return .none
        case .account(let number):
            if case .service = subject.kind { return .none }
            guard sameBytes(number, subject.account) else { return .none }
            return subject.kind == .root ? .exact : .account
        case .arn(let text):
            if case .service = subject.kind { return .none }
            if sameBytes(text, subject.name) { return .exact }
            if case .roleSession(let role, _) = subject.kind, sameBytes(text, role.description) { return .role }
            return .none
        case .uniqueID(let id):
            if sameBytes(id, subject.uniqueID) { return .exact }
            if case .roleSession(_, let roleID) = subject.kind, sameBytes(id, roleID) { return .role }
            return .none
        }
    }

    /// Reads an entry under `"AWS"`, also the form of a grantee or retiring principal.
    package init(aws text: String) throws(PolicyError) {
        if text == "*" {
            self = .anyone
        } else if ARN.isAccountID(text) {
            self = .account(text)
        } else if Self.isUniqueID(text) {
            self = .uniqueID(text)
        } else {
            self = try Self.parse(arn: text)
        }
    }

    private static func parse(arn text: String) throws(PolicyError) -> PrincipalPattern {
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[0] == "arn", parts[1].hasPrefix("aws"), parts[3].isEmpty, ARN.isAccountID(parts[4]),
            !text.contains("*"), !text.contains("?")
        else { throw .malformed("Invalid principal in policy: give an account, or the ARN of a user, role or session.") }
        let resource = parts[5]
        let segments = resource.split(separator: "/", omittingEmptySubsequences: false)
        let isWhole = segments.allSatisfy { !$0.isEmpty }
        switch (parts[2], segments[0]) {
        case ("iam", "root") where segments.count == 1:
            return .account(parts[4])
        case ("iam", "user") where segments.count >= 2 && isWhole, ("iam", "role") where segments.count >= 2 && isWhole,
            ("sts", "assumed-role") where segments.count == 3 && isWhole,
            ("sts", "federated-user") where segments.count == 2 && isWhole:
            return .arn(text)
        default:
            throw .malformed("Invalid principal in policy: the ARN names no root, user, role or session.")
        }
    }

    /// `AIDA…` or `AROA…`, an id given by the authority.
    private static func isUniqueID(_ text: String) -> Bool {
        (text.hasPrefix("AIDA") || text.hasPrefix("AROA")) && text.utf8.count >= 16
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }
    }
}
