import Policies
import Testing

/// One row of the tables of conditions: a condition, what the request has, and what comes of it.
///
/// Each row is evaluated in an Allow and in a Deny, because what is left open must neither open the one nor evade the other.
struct ConditionCase: Sendable, CustomTestStringConvertible {
    enum Outcome: Sendable {
        case holds, fails
        /// A Deny applies and an Allow does not.
        case deniesOnly
    }

    /// `StringEquals k=a|b & Bool m=true`: operators and keys are all needed, values after `|` are alternatives.
    let condition: String
    /// `k=a|b; l=x`: a key with two values and one with one; `k` alone is a key without a value.
    let context: String
    let outcome: Outcome

    init(_ condition: String, _ context: String, _ outcome: Outcome) {
        self.condition = condition
        self.context = context
        self.outcome = outcome
    }

    var testDescription: String { "\(condition)  ⟵  \(context.isEmpty ? "nothing" : context)" }

    /// The Condition block as JSON, without its braces.
    var json: String {
        var operators: [(name: String, keys: [String])] = []
        for part in condition.components(" & ") {
            let words = part.split(separator: " ", maxSplits: 1)
            let (key, values) = Self.pair(String(words[1]))
            let list = (values ?? []).map { #""\#($0)""# }.joined(separator: ",")
            let entry = #""\#(key)":[\#(list)]"#
            if let index = operators.firstIndex(where: { $0.name == words[0] }) {
                operators[index].keys.append(entry)
            } else {
                operators.append((String(words[0]), [entry]))
            }
        }
        return operators.map { #""\#($0.name)":{\#($0.keys.joined(separator: ","))}"# }.joined(separator: ",")
    }

    var values: [String: [String]] { Self.context(context) }

    /// Reads `k=a|b; l=x`.
    static func context(_ text: String) -> [String: [String]] {
        var context: [String: [String]] = [:]
        for part in text.components("; ") where !part.isEmpty {
            let (key, values) = pair(part)
            context[key] = values ?? []
        }
        return context
    }

    private static func pair(_ text: String) -> (key: String, values: [String]?) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), parts.count == 2 ? String(parts[1]).components("|") : nil)
    }
}

extension String {
    fileprivate func components(_ separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
