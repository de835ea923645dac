import AWSProtocol

/// What is known about a request when its conditions are evaluated: key → values.
///
/// Names of keys are matched without regard to ASCII case, values exactly. A key with an empty list is one that is absent, for
/// every operator.
package struct ConditionContext: Sendable, Equatable {
    private var values: [[UInt8]: [String]] = [:]

    package init() {}

    package init(_ values: [String: [String]]) {
        for (key, list) in values { self[key] = list }
    }

    package subscript(_ key: String) -> [String]? {
        get { values[Self.normalised(key)] }
        set { values[Self.normalised(key)] = newValue }
    }

    package mutating func set(_ key: String, _ value: String) {
        self[key] = [value]
    }

    package mutating func set(_ key: String, _ value: Bool) {
        self[key] = [value ? "true" : "false"]
    }

    /// Adds `kms:EncryptionContext:K` for each pair and `kms:EncryptionContextKeys`.
    ///
    /// Two pairs whose keys differ in case alone share one condition key with two values; conditions then hold only where
    /// both values satisfy them (an Allow) or either does (a Deny).
    package mutating func setEncryptionContext(_ pairs: [String: String]) {
        guard !pairs.isEmpty else { return }
        for (key, value) in pairs {
            self["kms:EncryptionContext:" + key, default: []].append(value)
        }
        self["kms:EncryptionContextKeys"] = pairs.keys.sorted()
    }

    /// Takes over every key of `other`, which wins where both have it.
    package mutating func merge(_ other: ConditionContext) {
        values.merge(other.values) { $1 }
    }

    private subscript(_ key: String, default fallback: [String]) -> [String] {
        get { self[key] ?? fallback }
        set { self[key] = newValue }
    }

    private static func normalised(_ key: String) -> [UInt8] {
        Array(key.asciiLowercased.utf8)
    }
}
