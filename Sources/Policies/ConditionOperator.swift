/// An operator of a Condition block, such as `ForAnyValue:StringNotLikeIfExists`.
struct ConditionOperator: Sendable, Hashable {
    enum Comparison: Sendable, Hashable {
        case stringEquals, stringEqualsIgnoringCase, stringLike
        case numeric(Relation), date(Relation)
        case bool, binary, ip, arn
    }

    enum Relation: Sendable, Hashable { case equal, less, lessOrEqual, greater, greaterOrEqual }

    enum Base: Sendable, Hashable {
        case null
        case compare(Comparison, isNegated: Bool)
    }

    /// How several values in the request are taken together.
    enum Quantifier: Sendable, Hashable { case none, all, any }

    var base: Base
    var quantifier: Quantifier
    var ifExists: Bool

    var isNegated: Bool {
        if case .compare(_, isNegated: true) = base { return true }
        return false
    }

    init(name: String) throws(PolicyError) {
        var rest = Substring(name)
        quantifier = .none
        for (prefix, value) in [("ForAllValues:", Quantifier.all), ("ForAnyValue:", .any)] where rest.hasPrefix(prefix) {
            rest = rest.dropFirst(prefix.count)
            quantifier = value
        }
        ifExists = rest.hasSuffix("IfExists")
        if ifExists { rest = rest.dropLast("IfExists".count) }
        guard let base = Self.bases[String(rest)] else { throw .malformed("Invalid condition operator.") }
        if base == .null, ifExists || quantifier != .none {
            throw .malformed("The condition operator Null takes neither IfExists nor a set operator.")
        }
        self.base = base
    }

    private static let bases: [String: Base] = {
        var bases: [String: Base] = [
            "Null": .null,
            "Bool": .compare(.bool, isNegated: false),
            "BinaryEquals": .compare(.binary, isNegated: false),
            "IpAddress": .compare(.ip, isNegated: false),
            "NotIpAddress": .compare(.ip, isNegated: true),
            "ArnEquals": .compare(.arn, isNegated: false),
            "ArnLike": .compare(.arn, isNegated: false),
            "ArnNotEquals": .compare(.arn, isNegated: true),
            "ArnNotLike": .compare(.arn, isNegated: true),
            "StringEquals": .compare(.stringEquals, isNegated: false),
            "StringNotEquals": .compare(.stringEquals, isNegated: true),
            "StringEqualsIgnoreCase": .compare(.stringEqualsIgnoringCase, isNegated: false),
            "StringNotEqualsIgnoreCase": .compare(.stringEqualsIgnoringCase, isNegated: true),
            "StringLike": .compare(.stringLike, isNegated: false),
            "StringNotLike": .compare(.stringLike, isNegated: true),
        ]
        let relations: [(String, Relation, Bool)] = [
            ("Equals", .equal, false), ("NotEquals", .equal, true), ("LessThan", .less, false),
            ("LessThanEquals", .lessOrEqual, false), ("GreaterThan", .greater, false),
            ("GreaterThanEquals", .greaterOrEqual, false),
        ]
        for (suffix, relation, isNegated) in relations {
            bases["Numeric" + suffix] = .compare(.numeric(relation), isNegated: isNegated)
            bases["Date" + suffix] = .compare(.date(relation), isNegated: isNegated)
        }
        return bases
    }()
}

extension ConditionOperator.Relation {
    func holds(_ value: Double, _ bound: Double) -> Bool {
        switch self {
        case .equal: value == bound
        case .less: value < bound
        case .lessOrEqual: value <= bound
        case .greater: value > bound
        case .greaterOrEqual: value >= bound
        }
    }
}
