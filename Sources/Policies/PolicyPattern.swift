/// A text of a policy with the wildcards `*` and `?` and policy variables such as `${aws:username}`.
///
/// Variables are known only in documents of version 2012-10-17; in others `${` is two ordinary characters. `${*}`, `${?}` and
/// `${$}` stand for the characters themselves, `${key, 'text'}` has a default. A value put in for a variable is taken
/// literally: a `*` in it is a star.
struct PolicyPattern: Sendable, Hashable {
    private enum Token: Sendable, Hashable {
        case literal(Unicode.Scalar)
        case anyOne
        case anyRun
        case variable(key: String, fallback: String?)
    }

    private let tokens: [Token]

    /// The pattern's text as the document has it.
    let text: String

    /// - Parameter variables: whether `${…}` is a variable here.
    init(_ text: String, variables: Bool) throws(PolicyError) {
        self.text = text
        var tokens: [Token] = []
        var rest = Substring(text).unicodeScalars
        while let scalar = rest.popFirst() {
            switch scalar {
            case "*": tokens.append(.anyRun)
            case "?": tokens.append(.anyOne)
            case "$" where variables && rest.first == "{":
                rest.removeFirst()
                guard let end = rest.firstIndex(of: "}") else {
                    throw .malformed("A policy variable has no closing brace.")
                }
                tokens.append(try Self.variable(String(rest[..<end])))
                rest = rest[rest.index(after: end)...]
            default: tokens.append(.literal(scalar))
            }
        }
        self.tokens = tokens
    }

    private static func variable(_ inner: String) throws(PolicyError) -> Token {
        switch inner {
        case "*", "?", "$": return .literal(inner.unicodeScalars.first!)
        default: break
        }
        let parts = inner.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        let key = parts[0].trimmed
        // A tag's key, as in `aws:PrincipalTag/cost center`, may hold spaces.
        guard !key.isEmpty, key.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7B }) else {
            throw .malformed("A policy variable has no valid name.")
        }
        guard parts.count == 2 else { return .variable(key: String(key), fallback: nil) }
        let quoted = parts[1].trimmed
        guard quoted.count >= 2, quoted.first == "'", quoted.last == "'" else {
            throw .malformed("The default value of a policy variable must stand in single quotes.")
        }
        return .variable(key: String(key), fallback: String(quoted.dropFirst().dropLast()))
    }

    /// The pattern with its variables replaced, or nil where one has no single value in `context`.
    func expanded(in context: ConditionContext) -> ExpandedPattern? {
        var result: [ExpandedPattern.Element] = []
        for token in tokens {
            switch token {
            case .literal(let scalar): result.append(.literal(scalar))
            case .anyOne: result.append(.anyOne)
            case .anyRun: result.append(.anyRun)
            case .variable(let key, let fallback):
                let values = context[key] ?? []
                guard let value = values.count == 1 ? values[0] : (values.isEmpty ? fallback : nil) else { return nil }
                result.append(contentsOf: value.unicodeScalars.map { .literal($0) })
            }
        }
        return ExpandedPattern(elements: result)
    }
}

/// A pattern whose variables are filled in.
struct ExpandedPattern: Sendable, Hashable {
    enum Element: Sendable, Hashable {
        case literal(Unicode.Scalar)
        case anyOne
        case anyRun
    }

    var elements: [Element]

    /// The text itself, wildcards taken as the characters they are written with.
    var literalText: String {
        var text = String.UnicodeScalarView()
        for element in elements {
            switch element {
            case .literal(let scalar): text.append(scalar)
            case .anyOne: text.append("?")
            case .anyRun: text.append("*")
            }
        }
        return String(text)
    }

    /// Whether the whole of `value` fits. Takes at most elements × scalars steps.
    func matches(_ value: String, ignoringASCIICase: Bool = false) -> Bool {
        let scalars = Array(value.unicodeScalars)
        var position = 0
        var element = 0
        var star: (element: Int, position: Int)?
        while position < scalars.count {
            if element < elements.count, elements[element] == .anyRun {
                star = (element, position)
                element += 1
            } else if element < elements.count,
                Self.fits(elements[element], scalars[position], ignoringASCIICase)
            {
                element += 1
                position += 1
            } else if let last = star {
                // Let the last run take one more character and try from there.
                star = (last.element, last.position + 1)
                element = last.element + 1
                position = last.position + 1
            } else {
                return false
            }
        }
        return elements[element...].allSatisfy { $0 == .anyRun }
    }

    private static func fits(_ element: Element, _ scalar: Unicode.Scalar, _ ignoringASCIICase: Bool) -> Bool {
        switch element {
        case .anyOne: true
        case .anyRun: false
        case .literal(let expected):
            ignoringASCIICase ? expected.asciiLowercased == scalar.asciiLowercased : expected == scalar
        }
    }

    /// The parts between colons, at most `count` of them; the last one keeps its colons.
    func split(into count: Int) -> [ExpandedPattern] {
        var parts: [ExpandedPattern] = [ExpandedPattern(elements: [])]
        for element in elements {
            if element == .literal(":"), parts.count < count {
                parts.append(ExpandedPattern(elements: []))
            } else {
                parts[parts.count - 1].elements.append(element)
            }
        }
        return parts
    }
}

extension Substring {
    /// The text without spaces at both ends.
    fileprivate var trimmed: Substring {
        var view = self
        while view.first == " " { view.removeFirst() }
        while view.last == " " { view.removeLast() }
        return view
    }
}
