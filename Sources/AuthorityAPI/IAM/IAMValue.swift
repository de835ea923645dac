import AWSProtocol

import struct FoundationEssentials.Date

/// A value of IAM's answers, described once and written twice: as XML for the caller and, of changes, as JSON for the trail.
enum IAMValue: Sendable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case date(Date)
    /// A policy document: percent-encoded in XML, as IAM does, and as it is in the trail.
    case document(String)
    /// Shown to the caller once and never in the trail.
    case secret(String)
    case list([IAMValue])
    case structure([IAMField])
    /// A map from text to number.
    case map([(key: String, value: Int)])
}

/// A member of a structure. Names are constants of the model.
struct IAMField: Sendable {
    let name: String
    let value: IAMValue

    init(_ name: String, _ value: IAMValue) {
        self.name = name
        self.value = value
    }

    init(_ name: String, _ text: String) { self.init(name, .text(text)) }

    /// Nil where there is no value: the member is left out.
    init?(_ name: String, ifPresent value: IAMValue?) {
        guard let value else { return nil }
        self.init(name, value)
    }
}

extension IAMValue {
    /// A structure without the members that are nil.
    static func members(_ fields: [IAMField?]) -> IAMValue { .structure(fields.compactMap { $0 }) }

    func write(as name: String, to writer: inout XMLWriter) {
        switch self {
        case .text(let text), .secret(let text): writer.element(name, text)
        case .number(let number): writer.element(name, String(number))
        case .flag(let flag): writer.element(name, flag ? "true" : "false")
        case .date(let date): writer.element(name, AWSTimestamp.extended(date))
        case .document(let text): writer.element(name, PercentEncoding.encode(text))
        case .list(let values): writer.element(name) { list in values.forEach { $0.write(as: "member", to: &list) } }
        case .structure(let fields): writer.element(name) { inner in fields.forEach { $0.write(to: &inner) } }
        case .map(let entries):
            writer.element(name) { map in
                for entry in entries {
                    map.element("entry") {
                        $0.element("key", entry.key)
                        $0.element("value", String(entry.value))
                    }
                }
            }
        }
    }

    /// Nil for what must not be in the trail.
    var trail: JSONValue? {
        switch self {
        case .text(let text), .document(let text): .string(text)
        case .number(let number): .int(Int64(number))
        case .flag(let flag): .bool(flag)
        case .date(let date): .string(TrailDate.text(date))
        case .secret: nil
        case .list(let values): .array(values.compactMap(\.trail))
        case .structure(let fields): .object(fields.trail)
        case .map(let entries): .object(JSONObject(entries.map { ($0.key, .int(Int64($0.value))) }))
        }
    }
}

extension IAMField {
    func write(to writer: inout XMLWriter) { value.write(as: name, to: &writer) }
}

extension [IAMField] {
    var trail: JSONObject { JSONObject(compactMap { field in field.value.trail.map { (field.name.camelCased, $0) } }) }
}
