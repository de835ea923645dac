import AWSProtocol

/// Reads one statement of a policy.
struct StatementParser {
    private let object: JSONObject
    private let number: Int
    private let kind: PolicyDocument.Kind
    private let variables: Bool

    init(_ object: JSONObject, number: Int, kind: PolicyDocument.Kind, variables: Bool) {
        self.object = object
        self.number = number
        self.kind = kind
        self.variables = variables
    }

    private static let elements: Set<String> = [
        "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
    ]

    func parse() throws(PolicyError) -> PolicyStatement {
        if let unknown = object.keys.first(where: { !Self.elements.contains($0) }) {
            throw error("has an unknown element: \(PolicyDocument.shown(unknown))")
        }
        let effect: PolicyEffect
        switch object["Effect"] {
        case .string("Allow"): effect = .allow
        case .string("Deny"): effect = .deny
        default: throw error("must have the Effect Allow or Deny")
        }
        if let sid = object["Sid"], sid.stringValue == nil { throw error("must have a string as its Sid") }
        return PolicyStatement(
            sid: object["Sid"]?.stringValue, effect: effect, principal: try principal(), actions: try actions(),
            resources: try resources(), conditions: try conditions())
    }

    // MARK: Principal

    private func principal() throws(PolicyError) -> PrincipalElement? {
        guard let (element, isNegated) = try choice("Principal", "NotPrincipal") else {
            if kind.hasPrincipals { throw error("must have a Principal") }
            return nil
        }
        guard kind.hasPrincipals else { throw error("must not have a Principal in this kind of policy") }
        let patterns = try principals(element)
        return isNegated ? .notListed(patterns) : .listed(patterns)
    }

    private func principals(_ element: JSONValue) throws(PolicyError) -> [PrincipalPattern] {
        if case .string(let text) = element {
            guard text == "*" else { throw error("must have * or an object as its Principal") }
            return [.anyone]
        }
        guard let object = element.objectValue, !object.keys.isEmpty else {
            throw error("must have * or an object as its Principal")
        }
        var patterns: [PrincipalPattern] = []
        for type in object.keys {
            for text in try strings(object[type], of: "Principal") {
                patterns.append(try principal(text, type: type))
            }
        }
        return patterns
    }

    private func principal(_ text: String, type: String) throws(PolicyError) -> PrincipalPattern {
        switch type {
        case "AWS": return try PrincipalPattern(aws: text)
        case "Service":
            guard isServiceName(text) else { throw error("names a service that is none in its Principal") }
            return .service(text)
        case "Federated": return .federated(text)
        default: throw error("has an unknown kind of Principal: \(PolicyDocument.shown(type))")
        }
    }

    /// A DNS name such as `forecast.amazonaws.com`, no wildcards.
    private func isServiceName(_ text: String) -> Bool {
        text.contains(".") && text.utf8.count <= 253
            && text.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2E || $0 == 0x2D }
    }

    // MARK: Action and Resource

    private func actions() throws(PolicyError) -> PolicyMatchList {
        guard let (element, isNegated) = try choice("Action", "NotAction") else {
            throw error("must have an Action or NotAction")
        }
        var patterns: [PolicyPattern] = []
        for text in try strings(element, of: "Action") {
            guard isAction(text) else { throw error("has an Action that is neither * nor service:Name") }
            patterns.append(try PolicyPattern(text, variables: false))
        }
        return isNegated ? .notListed(patterns) : .listed(patterns)
    }

    private func isAction(_ text: String) -> Bool {
        if text == "*" { return true }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2
            && parts.allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy { isWordCharacter($0) || [0x2A, 0x3F, 0x2D].contains($0) }
            }
    }

    private func isWordCharacter(_ byte: UInt8) -> Bool {
        (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || byte == 0x5F
    }

    private func resources() throws(PolicyError) -> PolicyMatchList? {
        guard let (element, isNegated) = try choice("Resource", "NotResource") else {
            if kind == .trust || kind == .key { return nil }
            throw error("must have a Resource or NotResource")
        }
        guard kind.hasResources else { throw error("must not have a Resource in a trust policy") }
        var patterns: [PolicyPattern] = []
        for text in try strings(element, of: "Resource") {
            guard text.hasPrefix("*") || text.hasPrefix("arn:") || (variables && text.hasPrefix("${")) else {
                throw error("has a Resource that is neither * nor an ARN")
            }
            patterns.append(try PolicyPattern(text, variables: variables))
        }
        return isNegated ? .notListed(patterns) : .listed(patterns)
    }

    // MARK: Condition

    private func conditions() throws(PolicyError) -> [Condition] {
        guard let element = object["Condition"] else { return [] }
        guard let block = element.objectValue else { throw error("must have an object as its Condition") }
        var conditions: [Condition] = []
        for name in block.keys {
            let comparison = try ConditionOperator(name: name)
            guard let keys = block[name]?.objectValue, !keys.keys.isEmpty else {
                throw error("must have an object of condition keys under \(name)")
            }
            for key in keys.keys {
                guard !key.isEmpty else { throw error("has a condition key without a name") }
                var values: [ConditionValue] = []
                for text in try strings(keys[key], of: "Condition", scalars: true) {
                    values.append(try ConditionValue(text, for: comparison.base, variables: variables))
                }
                conditions.append(Condition(key: key, comparison: comparison, values: values))
            }
        }
        return conditions
    }

    // MARK: Values

    /// The one of two elements that is there, and whether it is the second.
    private func choice(_ name: String, _ negated: String) throws(PolicyError) -> (JSONValue, Bool)? {
        switch (object[name], object[negated]) {
        case (nil, nil): return nil
        case (let value?, nil): return (value, false)
        case (nil, let value?): return (value, true)
        default: throw error("must not have both \(name) and \(negated)")
        }
    }

    /// A string or a list of at least one; with `scalars` also numbers and booleans, which conditions may be written with.
    private func strings(
        _ value: JSONValue?, of element: String, scalars: Bool = false
    ) throws(PolicyError) -> [String] {
        var texts: [String] = []
        for item in value?.arrayValue ?? value.map({ [$0] }) ?? [] {
            switch item {
            case .string(let text): texts.append(text)
            case .bool(let flag) where scalars: texts.append(flag ? "true" : "false")
            case .int(let number) where scalars: texts.append(String(number))
            case .double(let number) where scalars: texts.append(String(number))
            default: throw error("has a value in \(element) that is not a string")
            }
        }
        guard !texts.isEmpty else { throw error("has an empty \(element)") }
        return texts
    }

    private func error(_ text: String) -> PolicyError { .malformed("Statement \(number) \(text).") }
}
