import AWSProtocol
import AuthorityAPI
import Policies

/// An explanation as it is printed: a line and a table for people, an object for machines.
struct ExplanationReport {
    private let explanation: AccessExplanation
    private let action: String

    init(_ explanation: AccessExplanation, action: String) {
        self.explanation = explanation
        self.action = action
    }

    var table: String {
        var listing = AdminListing("Part", "Says", "Policy", "Statement", "Sid")
        for side in explanation.decision.sides {
            let (says, statement, grant) = Self.parts(of: side.verdict)
            listing.add(
                side.part.rawValue, says, grant ?? statement?.policy ?? "-", statement.map { String($0.index + 1) } ?? "-",
                statement?.sid ?? "-")
        }
        return """
            \(explanation.isAllowed ? "ALLOWED" : "DENIED")  \(action)
            by  \(explanation.principal)
            on  \(explanation.resource)
            \(reason)

            \(listing.table)
            """
    }

    var json: JSONObject {
        var object: JSONObject = [
            "allowed": .bool(explanation.isAllowed), "principal": .string(explanation.principal), "action": .string(action),
            "resource": .string(explanation.resource),
        ]
        object.append("decidedBy", ifPresent: decidedBy)
        if !explanation.isAllowed { object["reason"] = .string(reason) }
        object["sides"] = .array(
            explanation.decision.sides.map { side in
                let (says, statement, grant) = Self.parts(of: side.verdict)
                var entry: JSONObject = ["part": .string(side.part.rawValue), "says": .string(says)]
                entry.append("grant", ifPresent: grant.map { .string($0) })
                if let statement { Self.add(statement, to: &entry) }
                return .object(entry)
            })
        return object
    }

    private var reason: String {
        let decision = explanation.decision
        switch decision.outcome {
        case .allowed(let basis):
            let decided =
                switch basis {
                case .statement(let statement): "Decided by \(Self.text(statement))."
                case .grant(let id): "Decided by the grant \(id)."
                case .root: "The account's root user needs no policy."
                }
            return explanation.refusal.map { "\(decided) But the call is refused: \($0)" } ?? decided
        case .denied(.explicit(let statement)):
            return "Denied by \(Self.text(statement))."
        case .denied(.missingAllow(let source)):
            let missing =
                switch source {
                case .identity: "No identity policy allows it."
                case .session: "The session policies do not allow it."
                case .boundary: "The permissions boundary does not allow it."
                case .resource: "The resource's policy does not allow it, and no grant does."
                }
            return missing
        case .denied(.foreignResource):
            return "Another account's resource: absent, or its side does not allow it."
        }
    }

    /// Nil where nothing allows.
    private var decidedBy: JSONValue? {
        var entry = JSONObject()
        switch explanation.decision.outcome {
        case .allowed(.statement(let statement)), .denied(.explicit(let statement)): Self.add(statement, to: &entry)
        case .allowed(.grant(let id)): entry["grant"] = .string(id)
        case .allowed(.root): entry["root"] = true
        case .denied: return nil
        }
        return .object(entry)
    }

    private static func add(_ statement: StatementReference, to entry: inout JSONObject) {
        entry["source"] = .string(source(statement))
        entry.append("policy", ifPresent: statement.policy.map { .string($0) })
        entry["statement"] = .int(Int64(statement.index + 1))
        entry.append("sid", ifPresent: statement.sid.map { .string($0) })
    }

    private static func text(_ statement: StatementReference) -> String {
        let policy = statement.policy.map { " \($0)" } ?? ""
        let sid = statement.sid.map { " (\($0))" } ?? ""
        return "the \(source(statement))\(policy), statement \(statement.index + 1)\(sid)"
    }

    private static func source(_ statement: StatementReference) -> String {
        switch statement.source {
        case .identity: "identity policy"
        case .session: "session policy"
        case .boundary: "permissions boundary"
        case .resource: "resource policy"
        }
    }

    private static func parts(
        of verdict: DecisionSide.Verdict
    ) -> (says: String, statement: StatementReference?, grant: String?) {
        switch verdict {
        case .denies(let statement): ("denies", statement, nil)
        case .allows(let statement): ("allows", statement, nil)
        case .delegates(let statement): ("delegates to the account", statement, nil)
        case .grants(let id): ("allows", nil, id)
        case .isSilent: ("nothing", nil, nil)
        case .isAbsent: ("none there", nil, nil)
        }
    }
}
