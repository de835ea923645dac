import FoundationEssentials

/// JSON that the engine stores for a handler without reading it.
///
/// It lies in PostgreSQL in the clear: positions, counts, names of objects and digests of sealed bytes, never a
/// value that comes from a customer's data.
package struct JobJSON: Sendable, Hashable {
    package let text: String

    /// - Parameter text: well-formed JSON; PostgreSQL refuses anything else.
    package init(text: String) {
        self.text = text
    }

    /// Keys come out sorted, so that equal values are equal texts.
    package init(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.text = String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    package func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    package static let empty = JobJSON(text: "{}")
}
