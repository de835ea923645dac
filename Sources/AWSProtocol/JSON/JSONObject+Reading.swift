package import struct FoundationEssentials.Date

/// Typed reading of a request's members. An absent member and null are the same; a member of the wrong kind is a
/// SerializationException; a rule that is broken is a ValidationException that names the member, never its value.
extension JSONObject {
    package func optionalString(_ name: String, _ rule: StringRule? = nil) throws(AWSError) -> String? {
        guard let value = present(name) else { return nil }
        guard let text = value.stringValue else { throw wrongKind(name, "a string") }
        if let violation = rule?.violation(of: text) { throw .validation(field: name, rule: violation) }
        return text
    }

    package func requiredString(_ name: String, _ rule: StringRule? = nil) throws(AWSError) -> String {
        try required(name, optionalString(name, rule))
    }

    package func optionalString(_ name: String, length: ClosedRange<Int>) throws(AWSError) -> String? {
        try optionalString(name, StringRule(length: length))
    }

    package func requiredString(_ name: String, length: ClosedRange<Int>) throws(AWSError) -> String {
        try requiredString(name, StringRule(length: length))
    }

    /// A string that is one of the cases' raw values.
    package func optionalEnum<E: RawRepresentable & CaseIterable>(
        _ name: String, as type: E.Type = E.self
    ) throws(AWSError) -> E? where E.RawValue == String {
        guard let text = try optionalString(name) else { return nil }
        guard let value = E(rawValue: text) else {
            let names = E.allCases.map(\.rawValue).joined(separator: ", ")
            throw .validation(field: name, rule: "Member must satisfy enum value set: [\(names)]")
        }
        return value
    }

    package func requiredEnum<E: RawRepresentable & CaseIterable>(
        _ name: String, as type: E.Type = E.self
    ) throws(AWSError) -> E where E.RawValue == String {
        try required(name, optionalEnum(name, as: type))
    }

    package func optionalInt(_ name: String, range: ClosedRange<Int>? = nil) throws(AWSError) -> Int? {
        guard let value = present(name) else { return nil }
        guard let number = value.intValue else { throw wrongKind(name, "a whole number") }
        try range.check(Int(number), "value", of: name)
        return Int(number)
    }

    package func requiredInt(_ name: String, range: ClosedRange<Int>? = nil) throws(AWSError) -> Int {
        try required(name, optionalInt(name, range: range))
    }

    package func optionalDouble(_ name: String) throws(AWSError) -> Double? {
        guard let value = present(name) else { return nil }
        guard let number = value.doubleValue else { throw wrongKind(name, "a number") }
        return number
    }

    package func requiredDouble(_ name: String) throws(AWSError) -> Double {
        try required(name, optionalDouble(name))
    }

    package func optionalBool(_ name: String) throws(AWSError) -> Bool? {
        guard let value = present(name) else { return nil }
        guard let flag = value.boolValue else { throw wrongKind(name, "a Boolean") }
        return flag
    }

    package func requiredBool(_ name: String) throws(AWSError) -> Bool {
        try required(name, optionalBool(name))
    }

    package func optionalObject(_ name: String) throws(AWSError) -> JSONObject? {
        guard let value = present(name) else { return nil }
        guard let object = value.objectValue else { throw wrongKind(name, "a structure") }
        return object
    }

    package func requiredObject(_ name: String) throws(AWSError) -> JSONObject {
        try required(name, optionalObject(name))
    }

    package func optionalArray(_ name: String, count: ClosedRange<Int>? = nil) throws(AWSError) -> [JSONValue]? {
        guard let value = present(name) else { return nil }
        guard let elements = value.arrayValue else { throw wrongKind(name, "a list") }
        try count.check(elements.count, "length", of: name)
        return elements
    }

    package func requiredArray(_ name: String, count: ClosedRange<Int>? = nil) throws(AWSError) -> [JSONValue] {
        try required(name, optionalArray(name, count: count))
    }

    package func optionalStrings(_ name: String, count: ClosedRange<Int>? = nil) throws(AWSError) -> [String]? {
        guard let elements = try optionalArray(name, count: count) else { return nil }
        var texts: [String] = []
        for element in elements {
            guard let text = element.stringValue else { throw wrongKind(name, "a list of strings") }
            texts.append(text)
        }
        return texts
    }

    package func requiredStrings(_ name: String, count: ClosedRange<Int>? = nil) throws(AWSError) -> [String] {
        try required(name, optionalStrings(name, count: count))
    }

    package func optionalObjects(_ name: String, count: ClosedRange<Int>? = nil) throws(AWSError) -> [JSONObject]? {
        guard let elements = try optionalArray(name, count: count) else { return nil }
        var objects: [JSONObject] = []
        for element in elements {
            guard let object = element.objectValue else { throw wrongKind(name, "a list of structures") }
            objects.append(object)
        }
        return objects
    }

    package func requiredObjects(_ name: String, count: ClosedRange<Int>? = nil) throws(AWSError) -> [JSONObject] {
        try required(name, optionalObjects(name, count: count))
    }

    /// A map of strings, as an encryption context is. The parser has refused names that Swift takes for equal.
    package func optionalStringMap(_ name: String) throws(AWSError) -> [String: String]? {
        guard let object = try optionalObject(name) else { return nil }
        var map: [String: String] = [:]
        for member in object.members {
            guard let text = member.value.stringValue else { throw wrongKind(name, "a map of strings") }
            map[member.key] = text
        }
        return map
    }

    /// A blob in base64, with its length in bytes checked.
    package func optionalBlob(_ name: String, length: ClosedRange<Int>? = nil) throws(AWSError) -> [UInt8]? {
        guard let text = try optionalString(name) else { return nil }
        guard let bytes = Base64.decode(text) else { throw wrongKind(name, "base64") }
        try length.check(bytes.count, "length", of: name)
        return bytes
    }

    package func requiredBlob(_ name: String, length: ClosedRange<Int>? = nil) throws(AWSError) -> [UInt8] {
        try required(name, optionalBlob(name, length: length))
    }

    /// A time as the JSON protocol has it: seconds since 1970, whole or with a fraction; years 1 to 9999.
    package func optionalTimestamp(_ name: String) throws(AWSError) -> Date? {
        guard let seconds = try optionalDouble(name) else { return nil }
        guard (-62_135_596_800..<253_402_300_800).contains(seconds) else { throw wrongKind(name, "a time in seconds") }
        return Date(timeIntervalSince1970: seconds)
    }

    package func requiredTimestamp(_ name: String) throws(AWSError) -> Date {
        try required(name, optionalTimestamp(name))
    }

    private func present(_ name: String) -> JSONValue? {
        guard let value = self[name], !value.isNull else { return nil }
        return value
    }

    private func required<T>(_ name: String, _ value: T?) throws(AWSError) -> T {
        guard let value else { throw .validation(field: name, rule: "Member must not be null") }
        return value
    }

    private func wrongKind(_ name: String, _ kind: String) -> AWSError {
        .serialization("The member \(name) is not \(kind).")
    }
}

extension ClosedRange<Int>? {
    /// Throws the ValidationException of a member whose value or length lies outside; without a range everything passes.
    func check(_ number: Int, _ measure: String, of name: String) throws(AWSError) {
        guard let range = self else { return }
        if number < range.lowerBound {
            throw .validation(field: name, rule: "Member must have \(measure) greater than or equal to \(range.lowerBound)")
        }
        if number > range.upperBound {
            throw .validation(field: name, rule: "Member must have \(measure) less than or equal to \(range.upperBound)")
        }
    }
}
