import AWSProtocol
import Policies

let account = "111122223333"
let foreignAccount = "444455556666"
let keyARN = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

func user(_ name: String, account: String = account) -> PolicySubject {
    PolicySubject(
        kind: .user, account: account, uniqueID: "AIDA\(name.uppercased())000000000000",
        name: "arn:aws:iam::\(account):user/\(name)")
}

func root(account: String = account) -> PolicySubject {
    PolicySubject(kind: .root, account: account, uniqueID: account, name: "arn:aws:iam::\(account):root")
}

func session(role: String, name: String = "s1", account: String = account) -> PolicySubject {
    let roleARN = ARN("arn:aws:iam::\(account):role/\(role)")!
    return PolicySubject(
        kind: .roleSession(role: roleARN, roleID: "AROA\(roleARN.baseName.uppercased())000000000000"), account: account,
        uniqueID: "AROA\(roleARN.baseName.uppercased())000000000000:\(name)",
        name: "arn:aws:sts::\(account):assumed-role/\(roleARN.baseName)/\(name)")
}

func request(
    _ subject: PolicySubject, _ action: String = "kms:Decrypt", _ resource: String = keyARN,
    _ context: [String: [String]] = [:]
) -> AuthorizationRequest {
    AuthorizationRequest(subject: subject, action: action, resource: resource, context: ConditionContext(context))
}

func identity(_ statements: String..., version: String = "2012-10-17") throws -> SubjectPolicies {
    SubjectPolicies(identity: [AttachedPolicy(name: "p", document: try document(.identity, statements, version))])
}

/// A session narrowed by one inline policy, without any right of its own.
func narrowing(_ statements: String...) throws -> SubjectPolicies {
    SubjectPolicies(session: [AttachedPolicy(name: "inline", document: try document(.session, statements))])
}

func key(_ statements: String...) throws -> PolicyDocument { try document(.key, statements) }

func trust(_ statements: String...) throws -> PolicyDocument { try document(.trust, statements) }

func document(
    _ kind: PolicyDocument.Kind, _ statements: [String], _ version: String = "2012-10-17"
) throws -> PolicyDocument {
    try PolicyDocument.parse(
        #"{"Version":"\#(version)","Statement":[\#(statements.joined(separator: ","))]}"#, kind: kind)
}

let allowAll = #"{"Effect":"Allow","Action":"*","Resource":"*"}"#

/// Whether an identity policy of one Allow statement with this condition lets the request through.
func holds(_ condition: String, _ context: [String: [String]], effect: String = "Allow") throws -> Bool {
    let statement = #"{"Effect":"\#(effect)","Action":"*","Resource":"*","Condition":{\#(condition)}}"#
    let decision =
        effect == "Allow"
        ? PolicyEvaluator.decide(request(user("a"), "x:y", "*", context), policies: try identity(statement))
        : PolicyEvaluator.decide(request(user("a"), "x:y", "*", context), policies: try identity(allowAll, statement))
    return effect == "Allow" ? decision.isAllowed : decision.isExplicitDeny
}
