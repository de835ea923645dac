import Policies

/// A grant that tests make: to a user, role, session or account, for Decrypt unless they say otherwise.
func grant(
    _ id: String, to grantee: String, _ operations: Set<String> = ["Decrypt"], equals: [String: String]? = nil,
    subset: [String: String]? = nil, only granteeID: String? = nil
) -> Grant {
    guard let pattern = try? PrincipalPattern(aws: grantee) else { preconditionFailure("\(grantee) is no principal") }
    return Grant(
        id: id, grantee: pattern, granteeID: granteeID, operations: operations,
        constraints: .init(equals: equals, subset: subset))
}

extension PolicyCase {
    private static func row(
        _ shows: String, as subject: PolicySubject = ann, to action: String = "kms:Decrypt", _ grants: Grant...,
        key: [String] = [delegating], identity: [[String]] = [], with pairs: [String: String] = [:], is outcome: String
    ) -> PolicyCase {
        PolicyCase(
            shows, subject, action, .init(key: key, identity: identity, grants: grants, encryptionContext: pairs), outcome)
    }

    private static let none = "no identity policy allows"

    static let grants: [PolicyCase] = [
        row("a grant to the user", grant("g", to: annARN), is: "allowed by grant g"),
        row("a grant to another user", as: ben, to: "kms:Decrypt", grant("g", to: annARN), is: none),
        row("a grant for another operation", as: ann, to: "kms:Encrypt", grant("g", to: annARN), is: none),
        row("operations' case matters in a grant", grant("g", to: annARN, ["decrypt"]), is: none),
        row(
            "one of several operations", as: ann, to: "kms:Encrypt", grant("g", to: annARN, ["Decrypt", "Encrypt"]),
            is: "allowed by grant g"),
        row("a grant is for KMS alone", as: ann, to: "s3:Decrypt", grant("g", to: annARN), is: "no resource policy allows"),
        row(
            "a grant to the role reaches its sessions", as: roleSession, to: "kms:Decrypt", grant("g", to: roleARN),
            is: "allowed by grant g"),
        row("a grant to one session", as: roleSession, to: "kms:Decrypt", grant("g", to: sessionARN), is: "allowed by grant g"),
        row(
            "does not reach another", as: session(role: "path/r", name: "s2"), to: "kms:Decrypt", grant("g", to: sessionARN),
            is: none),
        row(
            "a grant to the account needs an identity policy", grant("g", to: rootARN), key: [allow("kms:*", to: foreignRootARN)],
            is: none),
        row(
            "and is what then decides", grant("g", to: rootARN), key: [allow("kms:*", to: foreignRootARN)],
            identity: [[allow("kms:*")]], is: "allowed by grant g"),
        row(
            "a grant to the account reaches root", as: root(), to: "kms:Decrypt", grant("g", to: rootARN),
            key: [allow("kms:*", to: annARN)], is: "allowed by grant g"),
        row(
            "a policy is named before a grant", grant("g", to: annARN), key: [allow("kms:*", to: annARN)],
            is: "allowed by resource#1"),
        row(
            "the grant that names the session is named before the role's", as: roleSession, to: "kms:Decrypt",
            grant("role", to: roleARN), grant("session", to: sessionARN), is: "allowed by grant session"),
        row("the first of two that are alike", grant("one", to: annARN), grant("two", to: annARN), is: "allowed by grant one"),
        row(
            "a key's Deny beats a grant", grant("g", to: annARN), key: [deny("kms:Decrypt", to: "*")], is: "denied by resource#1"),
        row("an identity Deny beats a grant", grant("g", to: annARN), identity: [[deny("kms:*")]], is: "denied by p1#1"),
        row("nobody of the same name inherits a grant", grant("g", to: annARN, only: "AIDASOMEBODYELSE0000"), is: none),
        row("the one it was made for has it", grant("g", to: annARN, only: "AIDAANN000000000000"), is: "allowed by grant g"),
        row("Equals: the very context", grant("g", to: annARN, equals: ["a": "1"]), with: ["a": "1"], is: "allowed by grant g"),
        row("Equals: another value", grant("g", to: annARN, equals: ["a": "1"]), with: ["a": "2"], is: none),
        row("Equals: a pair more", grant("g", to: annARN, equals: ["a": "1"]), with: ["a": "1", "b": "2"], is: none),
        row("Equals: a pair less", grant("g", to: annARN, equals: ["a": "1", "b": "2"]), with: ["a": "1"], is: none),
        row("Equals: no context", grant("g", to: annARN, equals: ["a": "1"]), is: none),
        row(
            "Equals: a key in other case", grant("g", to: annARN, equals: ["Dept": "IT"]), with: ["dEPT": "IT"],
            is: "allowed by grant g"),
        row("Equals: a value in other case", grant("g", to: annARN, equals: ["Dept": "IT"]), with: ["Dept": "it"], is: none),
        row(
            "Subset: the pairs and more", grant("g", to: annARN, subset: ["a": "1"]), with: ["a": "1", "b": "2"],
            is: "allowed by grant g"),
        row("Subset: a pair less", grant("g", to: annARN, subset: ["a": "1", "b": "2"]), with: ["a": "1"], is: none),
        row("Subset: another value", grant("g", to: annARN, subset: ["a": "1"]), with: ["a": "2", "b": "1"], is: none),
        row(
            "Subset: a second spelling with another value", grant("g", to: annARN, subset: ["a": "1"]),
            with: ["a": "1", "A": "2"], is: none),
        row(
            "Subset: a second spelling with the value", grant("g", to: annARN, subset: ["a": "1"]), with: ["a": "1", "A": "1"],
            is: "allowed by grant g"),
        row(
            "constraints do not bind DescribeKey", as: ann, to: "kms:DescribeKey",
            grant("g", to: annARN, ["DescribeKey"], equals: ["a": "1"]), is: "allowed by grant g"),
        row(
            "nor RetireGrant", as: ann, to: "kms:RetireGrant", grant("g", to: annARN, ["RetireGrant"], equals: ["a": "1"]),
            is: "allowed by grant g"),
        row(
            "the grant whose constraint fits", grant("one", to: annARN, subset: ["a": "1"]),
            grant("two", to: annARN, subset: ["a": "2"]), with: ["a": "2"], is: "allowed by grant two"),
    ]

    /// Whom trust policies let assume a role of account 111122223333.
    static let trust: [PolicyCase] = [
        assume("trust that names the user suffices", ann, [trusting(annARN)], "allowed by resource#1"),
        assume("trust that names another", ben, [trusting(annARN)], "no resource policy allows"),
        assume(
            "an identity policy without trust", ben, [trusting(annARN)], identity: [allow("sts:*")], "no resource policy allows"),
        assume("trust in the account asks the user's policies", ann, [trusting(rootARN)], "no identity policy allows"),
        assume("which allow", ann, [trusting(rootARN)], identity: [allow("sts:AssumeRole", on: roleARN)], "allowed by p1#1"),
        assume(
            "for another role", ann, [trusting(rootARN)], identity: [allow("sts:AssumeRole", on: roleARN + "2")],
            "no identity policy allows"),
        assume("an identity Deny", ann, [trusting(annARN)], identity: [deny("sts:*")], "denied by p1#1"),
        assume("trust across accounts needs the caller's side", stranger, [trusting(strangerARN)], "no identity policy allows"),
        assume("and has it", stranger, [trusting(strangerARN)], identity: [allow("sts:*")], "allowed by resource#1"),
        assume(
            "trust in another account", stranger, [trusting(foreignRootARN)], identity: [allow("sts:*")], "allowed by resource#1"),
        assume("the caller's side alone", stranger, [trusting(annARN)], identity: [allow("sts:*")], "not open"),
        assume(
            "an ExternalId that fits", stranger, [trusting(strangerARN, when: "StringEquals sts:ExternalId=e1")],
            identity: [allow("sts:*")], context: "sts:ExternalId=e1", "allowed by resource#1"),
        assume(
            "one that does not", stranger, [trusting(strangerARN, when: "StringEquals sts:ExternalId=e1")],
            identity: [allow("sts:*")], context: "sts:ExternalId=e2", "not open"),
        assume(
            "none", stranger, [trusting(strangerARN, when: "StringEquals sts:ExternalId=e1")], identity: [allow("sts:*")],
            "not open"),
        assume(
            "MFA that is asked for", ann, [trusting(annARN, when: "Bool aws:MultiFactorAuthPresent=true")],
            context: "aws:MultiFactorAuthPresent=true", "allowed by resource#1"),
        assume(
            "and absent with long-term keys", ann, [trusting(annARN, when: "Bool aws:MultiFactorAuthPresent=true")],
            "no resource policy allows"),
        assume(
            "MFA that is too old", ann, [trusting(annARN, when: "NumericLessThan aws:MultiFactorAuthAge=3600")],
            context: "aws:MultiFactorAuthAge=3601", "no resource policy allows"),
        assume(
            "the service by its name", .service("forecast.amazonaws.com"), [trusting("forecast.amazonaws.com")],
            "allowed by resource#1"),
        assume(
            "the service for a resource of the account", .service("forecast.amazonaws.com"),
            [
                trusting(
                    "forecast.amazonaws.com",
                    when:
                        "StringEquals aws:SourceAccount=111122223333 & ArnLike aws:SourceArn=arn:aws:forecast:us-west-2:111122223333:*"
                )
            ], context: "aws:SourceAccount=111122223333; aws:SourceArn=arn:aws:forecast:us-west-2:111122223333:predictor/p",
            "allowed by resource#1"),
        assume(
            "the service for somebody else's", .service("forecast.amazonaws.com"),
            [trusting("forecast.amazonaws.com", when: "StringEquals aws:SourceAccount=111122223333")],
            context: "aws:SourceAccount=444455556666", "no resource policy allows"),
        assume("a service is not let in by *", .service("forecast.amazonaws.com"), [trusting("*")], "no resource policy allows"),
        assume("trust for another action", ann, [trusting(annARN, "sts:TagSession")], "no resource policy allows"),
        assume("* trusts everybody of the account", ann, [trusting("*")], "allowed by resource#1"),
        assume(
            "* and strangers who are allowed at home", stranger, [trusting("*")], identity: [allow("sts:*")],
            "allowed by resource#1"),
        assume(
            "a Deny in the trust policy", ann,
            [trusting("*"), #"{"Effect":"Deny","Principal":{"AWS":"\#(annARN)"},"Action":"sts:AssumeRole"}"#],
            "denied by resource#2"),
    ]

    private static func assume(
        _ shows: String, _ subject: PolicySubject, _ trust: [String], identity: [String]? = nil, context: String = "",
        _ outcome: String
    ) -> PolicyCase {
        PolicyCase(
            shows, subject, "sts:AssumeRole", on: roleARN, context: context,
            .init(trust: trust, identity: identity.map { [$0] } ?? []), outcome)
    }

    /// Both accounts must allow; what the key's side says shows in one way only.
    static let acrossAccounts: [PolicyCase] = [
        PolicyCase(
            "both sides allow", stranger, .init(key: [allow("kms:*", to: strangerARN)], identity: [[allow("kms:*")]]),
            "allowed by resource#1"),
        PolicyCase(
            "the key trusts the account", stranger,
            .init(key: [allow("kms:*", to: foreignRootARN)], identity: [[allow("kms:Decrypt", on: keyARN)]]),
            "allowed by resource#1"),
        PolicyCase(
            "the caller's side is missing", stranger, .init(key: [allow("kms:*", to: strangerARN)]), "no identity policy allows"),
        PolicyCase(
            "the caller's side names another key", stranger,
            .init(key: [allow("kms:*", to: strangerARN)], identity: [[allow("kms:*", on: keyARN + "0")]]),
            "no identity policy allows"),
        PolicyCase("the key's side is missing", stranger, .init(key: [delegating], identity: [[allow("kms:*")]]), "not open"),
        PolicyCase(
            "the key denies", stranger,
            .init(key: [allow("kms:*", to: strangerARN), deny("kms:*", to: foreignRootARN)], identity: [[allow("kms:*")]]),
            "not open"),
        PolicyCase(
            "the caller's own Deny is told", stranger,
            .init(key: [allow("kms:*", to: strangerARN)], identity: [[allow("*"), deny("kms:*")]]), "denied by p1#2"),
        PolicyCase(
            "the key's condition fails", stranger, context: "kms:ViaService=s3.us-west-2.amazonaws.com",
            .init(
                key: [allow("kms:*", to: strangerARN, when: "StringEquals kms:ViaService=forecast.us-west-2.amazonaws.com")],
                identity: [[allow("kms:*")]]), "not open"),
        PolicyCase(
            "the key allows another action", stranger, "kms:Encrypt",
            .init(key: [allow("kms:Decrypt", to: strangerARN)], identity: [[allow("kms:*")]]), "not open"),
        PolicyCase(
            "an operation that is not for other accounts", stranger, "kms:PutKeyPolicy",
            .init(key: [allow("kms:*", to: strangerARN)], identity: [[allow("kms:*")]], acrossAccounts: false), "not open"),
        PolicyCase(
            "* with an identity policy", stranger, .init(key: [allow("kms:*", to: "*")], identity: [[allow("kms:*")]]),
            "allowed by resource#1"),
        PolicyCase("* without one", stranger, .init(key: [allow("kms:*", to: "*")]), "no identity policy allows"),
        PolicyCase(
            "root of the other account", root(account: foreignAccount), .init(key: [allow("kms:*", to: foreignRootARN)]),
            "allowed by resource#1"),
        PolicyCase("root of an account that is not named", root(account: foreignAccount), .init(key: [delegating]), "not open"),
        PolicyCase(
            "a grant stands for the key's side", stranger,
            .init(key: [delegating], identity: [[allow("kms:*")]], grants: [grant("g", to: strangerARN)]), "allowed by grant g"),
        PolicyCase(
            "and not for the caller's", stranger, .init(key: [delegating], grants: [grant("g", to: strangerARN)]),
            "no identity policy allows"),
        PolicyCase(
            "a grant whose constraint fails", stranger,
            .init(key: [delegating], identity: [[allow("kms:*")]], grants: [grant("g", to: strangerARN, equals: ["a": "1"])]),
            "not open"),
        PolicyCase(
            "a grant to the other account", stranger,
            .init(key: [delegating], identity: [[allow("kms:*")]], grants: [grant("g", to: foreignRootARN)]), "allowed by grant g"
        ),
        PolicyCase(
            "a session of another account by its role", session(role: "r", account: foreignAccount),
            .init(key: [allow("kms:*", to: "arn:aws:iam::444455556666:role/r")], identity: [[allow("kms:*")]]),
            "allowed by resource#1"),
        PolicyCase(
            "the caller's session policy limits it", session(role: "r", account: foreignAccount),
            .init(key: [allow("kms:*", to: foreignRootARN)], identity: [[allow("kms:*")]], session: [[allow("s3:*")]]),
            "no session policy allows"),
        PolicyCase(
            "a role of the same name in this account", session(role: "r", account: foreignAccount),
            .init(key: [allow("kms:*", to: "arn:aws:iam::111122223333:role/r")], identity: [[allow("kms:*")]]), "not open"),
        PolicyCase(
            "a service has no account of its own", .service("forecast.amazonaws.com"),
            .init(key: [allow("kms:*", to: "forecast.amazonaws.com", when: "StringEquals aws:SourceAccount=111122223333")]),
            "no resource policy allows"),
    ]
}
