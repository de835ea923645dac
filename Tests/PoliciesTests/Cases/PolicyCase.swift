import Policies
import Testing

/// One row of the tables of decisions: who asks for what, which policies there are, and what decides.
struct PolicyCase: Sendable, CustomTestStringConvertible {
    let shows: String
    var subject: PolicySubject
    var action = "kms:Decrypt"
    var resource = keyARN
    /// As `ConditionCase.context` reads it.
    var context = ""
    var policies: Policies
    let outcome: String

    /// Documents as lists of statements. Those of the subject are named `p1`, `p2`, …, `s1`, … and `b`.
    struct Policies: Sendable {
        /// The policy of the key in account 111122223333.
        var key: [String]?
        /// The trust policy of a role of that account.
        var trust: [String]?
        var identity: [[String]] = []
        var session: [[String]] = []
        var boundary: [String]?
        var grants: [Grant] = []
        var encryptionContext: [String: String] = [:]
        var acrossAccounts = true
        var version = "2012-10-17"
    }

    /// Decrypt under the key.
    init(_ shows: String, _ subject: PolicySubject, context: String = "", _ policies: Policies, _ outcome: String) {
        self.init(shows, subject, "kms:Decrypt", context: context, policies, outcome)
    }

    init(
        _ shows: String, _ subject: PolicySubject, _ action: String, on resource: String = keyARN, context: String = "",
        _ policies: Policies, _ outcome: String
    ) {
        self.shows = shows
        self.subject = subject
        self.action = action
        self.resource = resource
        self.context = context
        self.policies = policies
        self.outcome = outcome
    }

    var testDescription: String { shows }

    func decide() throws -> Decision {
        let version = policies.version
        let attached = { (name: String, statements: [String], kind: PolicyDocument.Kind) in
            AttachedPolicy(name: name, document: try document(kind, statements, version))
        }
        let own = SubjectPolicies(
            identity: try policies.identity.enumerated().map { try attached("p\($0.offset + 1)", $0.element, .identity) },
            session: try policies.session.enumerated().map { try attached("s\($0.offset + 1)", $0.element, .session) },
            boundary: try policies.boundary.map { try attached("b", $0, .identity) })
        let request = request(subject, action, resource, ConditionCase.context(context))
        if let trust = policies.trust {
            return PolicyEvaluator.decideTrust(
                request, trustPolicy: try document(.trust, trust, version), account: account, policies: own)
        }
        guard let key = policies.key else { return PolicyEvaluator.decide(request, policies: own) }
        return PolicyEvaluator.decideKey(
            request, keyPolicy: try document(.key, key, version), account: account, policies: own, grants: policies.grants,
            encryptionContext: policies.encryptionContext, isUsableAcrossAccounts: policies.acrossAccounts)
    }

    /// `allowed by p1#2` (the second statement of the policy p1), `denied by key#1`, `no session policy allows`, `not open`.
    static func text(_ decision: Decision) -> String {
        switch decision.outcome {
        case .allowed(.statement(let statement)): "allowed by \(text(statement))"
        case .allowed(.grant(let id)): "allowed by grant \(id)"
        case .allowed(.root): "allowed as root"
        case .denied(.explicit(let statement)): "denied by \(text(statement))"
        case .denied(.missingAllow(.identity)): "no identity policy allows"
        case .denied(.missingAllow(.session)): "no session policy allows"
        case .denied(.missingAllow(.boundary)): "no boundary allows"
        case .denied(.missingAllow(.resource)): "no resource policy allows"
        case .denied(.foreignResource): "not open"
        }
    }

    private static func text(_ statement: StatementReference) -> String {
        "\(statement.policy ?? "resource")#\(statement.index + 1)"
    }
}

// MARK: How rows write their policies

/// An Allow statement; with `to` one of a key.
func allow(_ action: String, on resource: String = "*", to principal: String? = nil, when condition: String? = nil) -> String {
    statement("Allow", action, resource, principal, condition)
}

func deny(_ action: String, on resource: String = "*", to principal: String? = nil, when condition: String? = nil) -> String {
    statement("Deny", action, resource, principal, condition)
}

/// A statement of a trust policy, which has no resource.
func trusting(_ principal: String, _ action: String = "sts:AssumeRole", when condition: String? = nil) -> String {
    #"{"Effect":"Allow","Principal":\#(json(principal)),"Action":"\#(action)"\#(block(condition))}"#
}

private func statement(
    _ effect: String, _ action: String, _ resource: String, _ principal: String?, _ condition: String?
) -> String {
    let who = principal.map { #""Principal":\#(json($0)),"# } ?? ""
    return #"{"Effect":"\#(effect)",\#(who)"Action":"\#(action)","Resource":"\#(resource)"\#(block(condition))}"#
}

/// `*`, a service's name, or whatever stands under `AWS`.
private func json(_ principal: String) -> String {
    if principal == "*" { return #""*""# }
    return principal.hasSuffix(".amazonaws.com") ? #"{"Service":"\#(principal)"}"# : #"{"AWS":"\#(principal)"}"#
}

/// A condition as `ConditionCase` writes it.
private func block(_ condition: String?) -> String {
    condition.map { #","Condition":{\#(ConditionCase($0, "", .holds).json)}"# } ?? ""
}

// MARK: Who occurs in the rows

let ann = user("ann")
let ben = user("ben")
let annARN = "arn:aws:iam::111122223333:user/ann"
let roleARN = "arn:aws:iam::111122223333:role/path/r"
let roleSession = session(role: "path/r")
let sessionARN = "arn:aws:sts::111122223333:assumed-role/r/s1"
let rootARN = "arn:aws:iam::111122223333:root"
let stranger = user("eve", account: foreignAccount)
let strangerARN = "arn:aws:iam::444455556666:user/eve"
let foreignRootARN = "arn:aws:iam::444455556666:root"
/// Lets the account's own policies decide about the key.
let delegating = allow("kms:*", to: rootARN)
