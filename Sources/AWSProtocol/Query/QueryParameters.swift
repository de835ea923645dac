/// The parameters of a call of the Query protocol (STS, IAM): `Action=AssumeRole&Tags.member.1.Key=a`.
package struct QueryParameters: Sendable, Equatable {
    package static let maximumParameters = 1000
    package static let maximumBytes = 1 << 20

    private var values: [String: String] = [:]

    /// Parameters by name, as a test or a client writes them.
    package init(_ values: [String: String]) {
        self.values = values
    }

    /// Reads a form body or a query string. A doubled name is refused: two readers could take different ones.
    package init(form bytes: some Collection<UInt8>, plusIsSpace: Bool = true) throws(AWSError) {
        guard bytes.count <= Self.maximumBytes else { throw .requestTooLarge(maximumBytes: Self.maximumBytes) }
        for pair in Array(bytes).split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: plusIsSpace), !name.isEmpty,
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : [], plusIsSpace: plusIsSpace)
            else { throw .serialization("A parameter is not well encoded.") }
            guard values.updateValue(value, forKey: name) == nil else {
                throw .serialization("A parameter occurs twice.")
            }
            guard values.count <= Self.maximumParameters else {
                throw .serialization("There are more than \(Self.maximumParameters) parameters.")
            }
        }
    }

    /// The parameters of a request: of its query string (a presigned call, whose `X-Amz-…` are left out) or of its
    /// body, never of both.
    package init(of request: AWSRequest) throws(AWSError) {
        if request.rawQuery.isEmpty {
            try self.init(form: request.body)
        } else {
            guard request.body.isEmpty else {
                throw .serialization("Parameters stand in the query string and in the body.")
            }
            try self.init(form: request.rawQuery.utf8, plusIsSpace: false)
            values = values.filter { !$0.key.hasPrefix("X-Amz-") }
        }
    }

    package var names: [String] { values.keys.sorted() }

    package subscript(name: String) -> String? { values[name] }

    package func optional(_ name: String, _ rule: StringRule? = nil) throws(AWSError) -> String? {
        guard let value = values[name] else { return nil }
        if let violation = rule?.violation(of: value) { throw .validation(field: name, rule: violation) }
        return value
    }

    package func required(_ name: String, _ rule: StringRule? = nil) throws(AWSError) -> String {
        guard let value = try optional(name, rule) else { throw .validation(field: name, rule: "Member must not be null") }
        return value
    }

    package func optionalInt(_ name: String, range: ClosedRange<Int>? = nil) throws(AWSError) -> Int? {
        guard let text = values[name] else { return nil }
        guard let value = Int(text) else { throw .serialization("The parameter \(name) is not a whole number.") }
        try range.check(value, "value", of: name)
        return value
    }

    /// The strings of `name.member.1`, `name.member.2`, …; empty when there is none. Gaps are refused.
    package func list(_ name: String) throws(AWSError) -> [String] {
        var elements: [String] = []
        while let element = values["\(name).member.\(elements.count + 1)"] { elements.append(element) }
        let written = Set(values.keys.compactMap { Self.ordinal(of: $0, in: name) }).count
        guard written == elements.count else { throw .serialization("The list \(name) is not numbered from 1 without gaps.") }
        return elements
    }

    /// The structures of `name.member.1.A`, `name.member.1.B`, …, each with its own parameters `A`, `B`.
    package func structures(_ name: String) throws(AWSError) -> [QueryParameters] {
        var elements: [Int: [String: String]] = [:]
        for (key, value) in values {
            guard let ordinal = Self.ordinal(of: key, in: name) else { continue }
            let prefix = "\(name).member.\(ordinal)."
            guard key.hasPrefix(prefix) else { throw .serialization("The list \(name) does not hold structures.") }
            elements[ordinal, default: [:]][String(key.dropFirst(prefix.count))] = value
        }
        var list: [QueryParameters] = []
        while let element = elements[list.count + 1] { list.append(QueryParameters(element)) }
        guard list.count == elements.count else {
            throw .serialization("The list \(name) is not numbered from 1 without gaps.")
        }
        return list
    }

    /// `application/x-www-form-urlencoded`, in the order given by `first` and then by name.
    package func formBody(first: [String] = ["Action", "Version"]) -> [UInt8] {
        let leading = first.filter { values[$0] != nil }
        let order = leading + names.filter { !leading.contains($0) }
        let pairs = order.map { PercentEncoding.encode($0) + "=" + PercentEncoding.encode(values[$0] ?? "") }
        return Array(pairs.joined(separator: "&").utf8)
    }

    /// The number after `name.member.`; nil for a key of something else. Zero for a broken number, which no list has.
    private static func ordinal(of key: String, in name: String) -> Int? {
        let prefix = "\(name).member."
        guard key.hasPrefix(prefix) else { return nil }
        let digits = key.dropFirst(prefix.count).prefix { $0 != "." }
        guard let number = Int(digits), String(number) == digits else { return 0 }
        return number
    }
}
