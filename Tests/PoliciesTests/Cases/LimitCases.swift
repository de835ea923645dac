extension PolicyCase {
    private static let all = [allow("*")]
    private static let kms = [allow("kms:*")]
    private static let other = [allow("forecast:*")]

    /// Permission boundaries: they allow nothing, and what they do not allow is denied.
    static let boundaries: [PolicyCase] = [
        PolicyCase(
            "a boundary allows nothing by itself", ann, "forecast:ListDatasets", on: "*", .init(boundary: all),
            "no identity policy allows"),
        PolicyCase(
            "what policy and boundary allow", ann, "forecast:ListDatasets", on: "*", .init(identity: [all], boundary: other),
            "allowed by p1#1"),
        PolicyCase(
            "what the boundary does not allow", ann, "s3:GetObject", on: "arn:aws:s3:::b/x",
            .init(identity: [all], boundary: other), "no boundary allows"),
        PolicyCase(
            "a Deny in the boundary", ann, "forecast:ListDatasets", on: "*",
            .init(identity: [all], boundary: [allow("*"), deny("forecast:*")]), "denied by b#2"),
        PolicyCase(
            "an identity Deny is named first", ann, "forecast:ListDatasets", on: "*",
            .init(identity: [[deny("*")]], boundary: [deny("*")]), "denied by p1#1"),
        PolicyCase(
            "a boundary's conditions count", ann, "forecast:ListDatasets", on: "*", context: "aws:RequestedRegion=eu-west-1",
            .init(identity: [all], boundary: [allow("*", when: "StringEquals aws:RequestedRegion=us-west-2")]),
            "no boundary allows"),
        PolicyCase(
            "a boundary with NotAction", ann, "iam:CreateUser", on: "arn:aws:iam::111122223333:user/x",
            .init(identity: [all], boundary: [#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#]), "no boundary allows"),
        PolicyCase(
            "a user named by the key is not limited by a boundary", ann,
            .init(key: [allow("kms:*", to: annARN)], boundary: other), "allowed by resource#1"),
        PolicyCase(
            "but is by its Deny", ann, .init(key: [allow("kms:*", to: annARN)], boundary: [allow("*"), deny("kms:*")]),
            "denied by b#2"),
        PolicyCase(
            "a user let in by * is limited", ann, .init(key: [allow("kms:*", to: "*")], boundary: other), "no boundary allows"),
        PolicyCase(
            "a user let in through the account is limited", ann, .init(key: [delegating], identity: [kms], boundary: other),
            "no boundary allows"),
        PolicyCase(
            "and let in where the boundary allows", ann, .init(key: [delegating], identity: [kms], boundary: kms),
            "allowed by p1#1"),
        PolicyCase(
            "a role named by the key is limited by its boundary", roleSession,
            .init(key: [allow("kms:*", to: roleARN)], boundary: other), "no boundary allows"),
        PolicyCase(
            "not where the boundary allows", roleSession, .init(key: [allow("kms:*", to: roleARN)], boundary: kms),
            "allowed by resource#1"),
        PolicyCase(
            "a session named by the key is not limited by the boundary", roleSession,
            .init(key: [allow("kms:*", to: sessionARN)], boundary: other), "allowed by resource#1"),
        PolicyCase(
            "a role named by its unique id is limited", roleSession,
            .init(key: [allow("kms:*", to: "AROAR000000000000")], boundary: other), "no boundary allows"),
        PolicyCase(
            "across accounts a boundary limits who is named too", stranger,
            .init(key: [allow("kms:*", to: strangerARN)], identity: [all], boundary: other), "no boundary allows"),
        PolicyCase(
            "a grant to the user is not limited by a boundary", ann,
            .init(key: [delegating], boundary: other, grants: [grant("g", to: annARN)]), "allowed by grant g"),
        PolicyCase(
            "a grant to the role is", roleSession, .init(key: [delegating], boundary: other, grants: [grant("g", to: roleARN)]),
            "no boundary allows"),
        PolicyCase(
            "a boundary of Deny statements alone allows nothing", ann, "forecast:ListDatasets", on: "*",
            .init(identity: [all], boundary: [deny("s3:*")]), "no boundary allows"),
        PolicyCase(
            "a trust policy that names the user is not limited", ann, "sts:AssumeRole", on: roleARN,
            .init(trust: [trusting(annARN)], boundary: other), "allowed by resource#1"),
        PolicyCase(
            "one that names the account is", ann, "sts:AssumeRole", on: roleARN,
            .init(trust: [trusting(rootARN)], identity: [all], boundary: other), "no boundary allows"),
    ]

    /// Session policies: an inline one and managed ones are one limit together.
    static let sessions: [PolicyCase] = [
        PolicyCase(
            "a session policy allows nothing by itself", roleSession, "forecast:ListDatasets", on: "*", .init(session: [all]),
            "no identity policy allows"),
        PolicyCase(
            "what role and session policy allow", roleSession, "forecast:ListDatasets", on: "*",
            .init(identity: [all], session: [other]), "allowed by p1#1"),
        PolicyCase(
            "what the session policy leaves out", roleSession, "s3:GetObject", on: "arn:aws:s3:::b/x",
            .init(identity: [all], session: [other]), "no session policy allows"),
        PolicyCase(
            "what the role does not have", roleSession, "s3:GetObject", on: "arn:aws:s3:::b/x",
            .init(identity: [other], session: [all]), "no identity policy allows"),
        PolicyCase(
            "one of several session policies suffices", roleSession, "forecast:ListDatasets", on: "*",
            .init(identity: [all], session: [kms, other]), "allowed by p1#1"),
        PolicyCase(
            "none of several allows", roleSession, "s3:GetObject", on: "arn:aws:s3:::b/x",
            .init(identity: [all], session: [kms, other]), "no session policy allows"),
        PolicyCase(
            "a Deny in any of several", roleSession, "forecast:ListDatasets", on: "*",
            .init(identity: [all], session: [all, [deny("forecast:*")]]), "denied by s2#1"),
        PolicyCase(
            "boundary and session policy must both allow", roleSession,
            .init(key: [delegating], identity: [all], session: [kms], boundary: other), "no boundary allows"),
        PolicyCase(
            "the other way round", roleSession, .init(key: [delegating], identity: [all], session: [other], boundary: kms),
            "no session policy allows"),
        PolicyCase(
            "all three allow", roleSession, .init(key: [delegating], identity: [all], session: [kms], boundary: kms),
            "allowed by p1#1"),
        PolicyCase(
            "a session policy's condition counts", roleSession, context: "kms:EncryptionContext:a=2",
            .init(
                key: [delegating], identity: [all], session: [[allow("kms:*", when: "StringEquals kms:EncryptionContext:a=1")]]),
            "no session policy allows"),
        PolicyCase(
            "a role named by the key is limited by the session policy", roleSession,
            .init(key: [allow("kms:*", to: roleARN)], session: [other]), "no session policy allows"),
        PolicyCase(
            "not where the session policy allows", roleSession, .init(key: [allow("kms:*", to: roleARN)], session: [kms]),
            "allowed by resource#1"),
        PolicyCase(
            "a session named by the key escapes its session policy", roleSession,
            .init(key: [allow("kms:*", to: sessionARN)], session: [other]), "allowed by resource#1"),
        PolicyCase(
            "but not its Deny", roleSession,
            .init(key: [allow("kms:*", to: sessionARN)], session: [[allow("*"), deny("kms:*")]]), "denied by s1#2"),
        PolicyCase(
            "a session let in by * is limited", roleSession, .init(key: [allow("kms:*", to: "*")], session: [other]),
            "no session policy allows"),
        PolicyCase(
            "a grant to the session escapes", roleSession,
            .init(key: [delegating], session: [other], grants: [grant("g", to: sessionARN)]), "allowed by grant g"),
        PolicyCase(
            "a grant to the role does not", roleSession,
            .init(key: [delegating], session: [other], grants: [grant("g", to: roleARN)]), "no session policy allows"),
        PolicyCase(
            "across accounts a session policy limits who is named too", session(role: "r", account: foreignAccount),
            .init(key: [allow("kms:*", to: "arn:aws:sts::444455556666:assumed-role/r/s1")], identity: [all], session: [other]),
            "no session policy allows"),
        PolicyCase(
            "chaining: a role's session under a session policy", roleSession, "sts:AssumeRole",
            on: "arn:aws:iam::111122223333:role/q", .init(trust: [trusting(roleARN)], session: [kms]), "no session policy allows"),
        PolicyCase(
            "chaining: the session itself is trusted", roleSession, "sts:AssumeRole", on: "arn:aws:iam::111122223333:role/q",
            .init(trust: [trusting(sessionARN)], session: [kms]), "allowed by resource#1"),
    ]
}
