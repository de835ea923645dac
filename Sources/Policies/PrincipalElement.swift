/// The Principal or NotPrincipal element of a statement.
enum PrincipalElement: Sendable, Hashable {
    case listed([PrincipalPattern])
    case notListed([PrincipalPattern])

    /// How closely the element names the subject in a statement with this effect.
    ///
    /// NotPrincipal is read strictly both ways: an Allow reaches nobody who is listed under any name (session, role, user,
    /// account), a Deny spares only who is listed under each of them, as IAM asks for.
    func match(_ subject: PolicySubject, effect: PolicyEffect) -> PrincipalMatch {
        switch self {
        case .listed(let patterns):
            return patterns.map { $0.match(subject) }.max() ?? .none
        case .notListed(let patterns):
            let matches = Set(patterns.map { $0.match(subject) }.filter { $0 != .none })
            switch effect {
            case .allow:
                return matches.isEmpty ? .anyone : .none
            case .deny:
                return Self.namesAll(of: subject, matches) ? .none : .anyone
            }
        }
    }

    private static func namesAll(of subject: PolicySubject, _ matches: Set<PrincipalMatch>) -> Bool {
        if matches.contains(.anyone) { return true }
        switch subject.kind {
        case .root, .service: return matches.contains(.exact)
        case .user: return matches.isSuperset(of: [.exact, .account])
        case .roleSession: return matches.isSuperset(of: [.exact, .role, .account])
        }
    }

    var patterns: [PrincipalPattern] {
        switch self {
        case .listed(let patterns), .notListed(let patterns): patterns
        }
    }
}
