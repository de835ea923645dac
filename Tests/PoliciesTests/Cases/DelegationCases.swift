import Policies

extension PolicyCase {
    /// Key policies within one account: who is named, what is handed on to the account's own policies.
    static let delegation: [PolicyCase] = [
        PolicyCase(
            "a key policy that names the user needs nobody else", ann, .init(key: [allow("kms:Decrypt", to: annARN)]),
            "allowed by resource#1"),
        PolicyCase(
            "one that names another user", ben, .init(key: [allow("kms:Decrypt", to: annARN)]), "no resource policy allows"),
        PolicyCase(
            "an identity policy alone does not open a key", ben,
            .init(key: [allow("kms:Decrypt", to: annARN)], identity: [[allow("kms:*")]]), "no resource policy allows"),
        PolicyCase(
            "a key that names the account asks the user's policies", ann,
            .init(key: [delegating], identity: [[allow("kms:Decrypt")]]), "allowed by p1#1"),
        PolicyCase("which say nothing", ann, .init(key: [delegating]), "no identity policy allows"),
        PolicyCase(
            "or allow something else", ann, .init(key: [delegating], identity: [[allow("kms:Encrypt")]]),
            "no identity policy allows"),
        PolicyCase(
            "or another key", ann, .init(key: [delegating], identity: [[allow("kms:Decrypt", on: keyARN + "0")]]),
            "no identity policy allows"),
        PolicyCase(
            "the bare account number is the account", ann,
            .init(key: [allow("kms:*", to: account)], identity: [[allow("kms:Decrypt")]]), "allowed by p1#1"),
        PolicyCase(
            "the account is named for some actions only", ann,
            .init(key: [allow("kms:Describe*", to: rootARN)], identity: [[allow("kms:*")]]), "no resource policy allows"),
        PolicyCase(
            "delegation may have a condition", ann, context: "kms:ViaService=s3.us-west-2.amazonaws.com",
            .init(
                key: [allow("kms:*", to: rootARN, when: "StringEquals kms:ViaService=forecast.us-west-2.amazonaws.com")],
                identity: [[allow("kms:*")]]), "no resource policy allows"),
        PolicyCase(
            "another account's delegation does not count here", ann,
            .init(key: [allow("kms:*", to: foreignRootARN)], identity: [[allow("kms:*")]]), "no resource policy allows"),
        PolicyCase(
            "root is allowed by its statement", root(), "kms:PutKeyPolicy", .init(key: [delegating]), "allowed by resource#1"),
        PolicyCase(
            "and by nothing else", root(), "kms:PutKeyPolicy", .init(key: [allow("kms:*", to: annARN)]),
            "no resource policy allows"),
        PolicyCase(
            "nor does its bare number", ann, .init(key: [allow("kms:*", to: "444455556666")]), "no resource policy allows"),
        PolicyCase(
            "an identity Deny works without delegation", ann,
            .init(key: [allow("kms:*", to: annARN)], identity: [[deny("kms:Decrypt")]]), "denied by p1#1"),
        PolicyCase(
            "a key's Deny beats everything", ann,
            .init(key: [delegating, deny("kms:Decrypt", to: annARN)], identity: [[allow("*")]]), "denied by resource#2"),
        PolicyCase(
            "a Deny to the account reaches its users", ann, .init(key: [allow("kms:*", to: annARN), deny("kms:*", to: rootARN)]),
            "denied by resource#2"),
        PolicyCase(
            "a Deny to everybody reaches root", root(), .init(key: [delegating, deny("kms:Decrypt", to: "*")]),
            "denied by resource#2"),
        PolicyCase(
            "a key's Deny is named before an identity Deny", ann,
            .init(key: [delegating, deny("kms:*", to: "*")], identity: [[deny("*")]]), "denied by resource#2"),
        PolicyCase("* lets the account's users in", ann, .init(key: [allow("kms:Decrypt", to: "*")]), "allowed by resource#1"),
        PolicyCase(
            "* is everybody in the object form too", ann,
            .init(key: [#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"}"#]), "allowed by resource#1"),
        PolicyCase(
            "* with a condition on the caller's account", ann, context: "kms:CallerAccount=111122223333",
            .init(key: [allow("kms:Decrypt", to: "*", when: "StringEquals kms:CallerAccount=111122223333")]),
            "allowed by resource#1"),
        PolicyCase(
            "the statement that names the user is the one that decides", ann,
            .init(key: [delegating, allow("kms:*", to: "*"), allow("kms:Decrypt", to: annARN)]), "allowed by resource#3"),
        PolicyCase(
            "a statement without Resource has no effect", ann,
            .init(key: [#"{"Effect":"Allow","Principal":{"AWS":"\#(annARN)"},"Action":"kms:*"}"#]), "no resource policy allows"),
        PolicyCase(
            "nor has one for another key", ann, .init(key: [allow("kms:*", on: keyARN + "0", to: annARN)]),
            "no resource policy allows"),
        PolicyCase("one for this key has", ann, .init(key: [allow("kms:*", on: keyARN, to: annARN)]), "allowed by resource#1"),
        PolicyCase(
            "a key policy's variables are filled in", ann, context: "aws:username=ann; kms:EncryptionContext:owner=ann",
            .init(key: [allow("kms:*", to: "*", when: "StringEquals kms:EncryptionContext:owner=${aws:username}")]),
            "allowed by resource#1"),
    ]

    /// Whom a Principal or NotPrincipal element names.
    static let principals: [PolicyCase] = [
        PolicyCase(
            "a role's ARN reaches its sessions", roleSession, .init(key: [allow("kms:*", to: roleARN)]), "allowed by resource#1"),
        PolicyCase(
            "not those of another role", session(role: "q"), .init(key: [allow("kms:*", to: roleARN)]),
            "no resource policy allows"),
        PolicyCase(
            "nor of the role without its path", session(role: "r"), .init(key: [allow("kms:*", to: roleARN)]),
            "no resource policy allows"),
        PolicyCase(
            "a session's ARN reaches that session", roleSession, .init(key: [allow("kms:*", to: sessionARN)]),
            "allowed by resource#1"),
        PolicyCase(
            "and no other", session(role: "path/r", name: "s2"), .init(key: [allow("kms:*", to: sessionARN)]),
            "no resource policy allows"),
        PolicyCase("a name's case matters", user("Ann"), .init(key: [allow("kms:*", to: annARN)]), "no resource policy allows"),
        PolicyCase(
            "a unique id reaches the user", ann, .init(key: [allow("kms:*", to: "AIDAANN000000000000")]), "allowed by resource#1"),
        PolicyCase(
            "not a later one of the same name",
            PolicySubject(kind: .user, account: account, uniqueID: "AIDANEWANN0000000000", name: annARN),
            .init(key: [allow("kms:*", to: "AIDAANN000000000000")]), "no resource policy allows"),
        PolicyCase(
            "a role's unique id reaches its sessions", roleSession, .init(key: [allow("kms:*", to: "AROAR000000000000")]),
            "allowed by resource#1"),
        PolicyCase(
            "one of several principals", ben,
            .init(key: [
                #"{"Effect":"Allow","Principal":{"AWS":["\#(annARN)","arn:aws:iam::111122223333:user/ben"]},"Action":"kms:*","Resource":"*"}"#
            ]), "allowed by resource#1"),
        PolicyCase(
            "principals of several kinds", ann,
            .init(key: [
                #"{"Effect":"Allow","Principal":{"Service":"forecast.amazonaws.com","AWS":"\#(annARN)"},"Action":"kms:*","Resource":"*"}"#
            ]), "allowed by resource#1"),
        PolicyCase(
            "a service's name is nobody's", ann, .init(key: [allow("kms:*", to: "forecast.amazonaws.com")]),
            "no resource policy allows"),
        PolicyCase(
            "a federated principal is nobody here", ann,
            .init(key: [#"{"Effect":"Allow","Principal":{"Federated":"accounts.google.com"},"Action":"kms:*","Resource":"*"}"#]),
            "no resource policy allows"),
        PolicyCase(
            "a service is let in by its name", .service("forecast.amazonaws.com"),
            .init(key: [allow("kms:*", to: "forecast.amazonaws.com")]), "allowed by resource#1"),
        PolicyCase(
            "and not by *", .service("forecast.amazonaws.com"), .init(key: [allow("kms:*", to: "*")]), "no resource policy allows"
        ),
        PolicyCase(
            "nor by another service's name", .service("forecast.amazonaws.com"),
            .init(key: [allow("kms:*", to: "s3.amazonaws.com")]), "no resource policy allows"),
        PolicyCase(
            "but * denies it", .service("forecast.amazonaws.com"),
            .init(key: [allow("kms:*", to: "forecast.amazonaws.com"), deny("kms:*", to: "*")]), "denied by resource#2"),
        PolicyCase(
            "an Allow with NotPrincipal reaches who is not listed", ben, .init(key: [notPrincipal("Allow", [annARN])]),
            "allowed by resource#1"),
        PolicyCase("not who is listed", ann, .init(key: [notPrincipal("Allow", [annARN])]), "no resource policy allows"),
        PolicyCase(
            "nor whose account is listed", ben, .init(key: [notPrincipal("Allow", [rootARN])]), "no resource policy allows"),
        PolicyCase(
            "nor a session whose role is listed", roleSession, .init(key: [notPrincipal("Allow", [roleARN])]),
            "no resource policy allows"),
        PolicyCase(
            "a Deny with NotPrincipal reaches who is not listed", ben,
            .init(key: [allow("kms:*", to: "*"), notPrincipal("Deny", [annARN, rootARN])]), "denied by resource#2"),
        PolicyCase(
            "spares a user listed with the account", ann,
            .init(key: [allow("kms:*", to: "*"), notPrincipal("Deny", [annARN, rootARN])]), "allowed by resource#1"),
        PolicyCase(
            "and not one listed without it", ann, .init(key: [allow("kms:*", to: "*"), notPrincipal("Deny", [annARN])]),
            "denied by resource#2"),
        PolicyCase(
            "spares a session listed with role and account", roleSession,
            .init(key: [allow("kms:*", to: "*"), notPrincipal("Deny", [sessionARN, roleARN, rootARN])]), "allowed by resource#1"),
        PolicyCase(
            "and not one listed without its role", roleSession,
            .init(key: [allow("kms:*", to: "*"), notPrincipal("Deny", [sessionARN, rootARN])]), "denied by resource#2"),
        PolicyCase(
            "spares root where the account is listed", root(), .init(key: [delegating, notPrincipal("Deny", [rootARN])]),
            "allowed by resource#1"),
    ]

    private static func notPrincipal(_ effect: String, _ arns: [String]) -> String {
        let list = arns.map { #""\#($0)""# }.joined(separator: ",")
        return #"{"Effect":"\#(effect)","NotPrincipal":{"AWS":[\#(list)]},"Action":"kms:*","Resource":"*"}"#
    }
}
