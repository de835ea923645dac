import AWSProtocol

/// One operator with one key of a Condition block: `"StringEquals": {"kms:ViaService": [...]}`.
struct Condition: Sendable, Hashable {
    let key: String
    let comparison: ConditionOperator
    /// At least one.
    let values: [ConditionValue]

    /// Whether the request satisfies the condition.
    ///
    /// `effect` decides what is left open: where a key has several values and no set operator is given, an Allow needs all of
    /// them to fit and a Deny any; where a variable has no value, a negated operator does not let an Allow through.
    func holds(in context: ConditionContext, effect: PolicyEffect) -> Bool {
        let present = context[key]
        switch comparison.base {
        case .null:
            return values.contains(.bool(present?.isEmpty ?? true))
        case .compare(let comparison, let isNegated):
            guard let given = present, !given.isEmpty else { return holdsWithoutValue }
            guard let expected = expand(in: context, effect: effect, isNegated: isNegated) else { return false }
            let test = { (value: String) in
                // A value that is none of the operator's kind is neither like nor unlike: it opens no Allow and evades no Deny.
                guard ReadyValue.canCompare(value, by: comparison) else { return isNegated && effect == .deny }
                return expected.contains { $0.matches(value, by: comparison) } != isNegated
            }
            switch self.comparison.quantifier {
            case .all: return given.allSatisfy(test)
            case .any: return given.contains(where: test)
            case .none: return effect == .allow ? given.allSatisfy(test) : given.contains(where: test)
            }
        }
    }

    /// What the operator says of a key that the request lacks.
    private var holdsWithoutValue: Bool {
        if comparison.ifExists { return true }
        switch comparison.quantifier {
        case .all: return true
        case .any: return false
        case .none: return comparison.isNegated
        }
    }

    /// The values with variables filled in. Those with an unknown variable match nothing; nil where that would open an Allow.
    private func expand(
        in context: ConditionContext, effect: PolicyEffect, isNegated: Bool
    ) -> [ReadyValue]? {
        var ready: [ReadyValue] = []
        for value in values {
            guard case .pattern(let pattern) = value else {
                ready.append(.plain(value))
                continue
            }
            if let expanded = pattern.expanded(in: context) {
                ready.append(.pattern(expanded))
            } else if isNegated, effect == .allow {
                return nil
            }
        }
        return ready
    }
}

/// A condition value that is ready to be compared.
private enum ReadyValue {
    case plain(ConditionValue)
    case pattern(ExpandedPattern)

    /// Whether a request's value is of the kind that the operator compares.
    static func canCompare(_ value: String, by comparison: ConditionOperator.Comparison) -> Bool {
        switch comparison {
        case .numeric: ConditionValue.number(value) != nil
        case .date: PolicyDate.seconds(value) != nil
        case .bool: ConditionValue.bool(value) != nil
        case .binary: Base64.decode(value) != nil
        case .ip: IPNetwork.isAddress(value)
        case .stringEquals, .stringEqualsIgnoringCase, .stringLike, .arn: true
        }
    }

    func matches(_ value: String, by comparison: ConditionOperator.Comparison) -> Bool {
        switch (comparison, self) {
        case (.stringEquals, .pattern(let pattern)):
            return sameBytes(pattern.literalText, value)
        case (.stringEqualsIgnoringCase, .pattern(let pattern)):
            return sameBytes(pattern.literalText.latin1Lowercased, value.latin1Lowercased)
        case (.stringLike, .pattern(let pattern)):
            return pattern.matches(value)
        case (.arn, .pattern(let pattern)):
            return Self.arn(value, matches: pattern)
        case (.numeric(let relation), .plain(.number(let bound))):
            return ConditionValue.number(value).map { relation.holds($0, bound) } ?? false
        case (.date(let relation), .plain(.number(let bound))):
            return PolicyDate.seconds(value).map { relation.holds($0, bound) } ?? false
        case (.bool, .plain(.bool(let expected))):
            return ConditionValue.bool(value) == expected
        case (.binary, .plain(.bytes(let expected))):
            return Base64.decode(value) == expected
        case (.ip, .plain(.network(let network))):
            return network.contains(value)
        default:
            return false
        }
    }

    /// Six parts between colons, each matched alone, so that a `*` in one cannot reach into the next.
    private static func arn(_ value: String, matches pattern: ExpandedPattern) -> Bool {
        if pattern.elements == [.anyRun] { return true }
        let parts = value.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        let patterns = pattern.split(into: 6)
        guard parts.count == 6, patterns.count == 6 else { return false }
        return zip(patterns, parts).allSatisfy { $0.matches($1) }
    }
}
