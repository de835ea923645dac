import FoundationEssentials

/// Something of which every worker should know soon; nothing rests on its arrival. Shape on the wire: one flat JSON object
/// of strings, `{"announcement": "stop", "job": "…"}`, at most `Announcement.bytes` long.
package struct Announcement: Sendable, Hashable {
    package static let bytes = 4096

    /// What happened.
    package let what: String
    /// To whom: ids and names, never a customer's data.
    package let attributes: [String: String]

    package init(_ what: String, _ attributes: [String: String] = [:]) {
        self.what = what
        self.attributes = attributes
    }

    /// Nil for what is no announcement: anybody may write to the topic by mistake.
    package init?(parsing bytes: [UInt8]) {
        guard bytes.count <= Self.bytes,
            var members = try? JSONDecoder().decode([String: String].self, from: Data(bytes)),
            let what = members.removeValue(forKey: Self.member), !what.isEmpty
        else { return nil }
        self.what = what
        attributes = members
    }

    /// Throws `.payload` where it is too long.
    package func serialized() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = Array(try encoder.encode(attributes.merging([Self.member: what]) { $1 }))
        guard bytes.count <= Self.bytes else {
            throw OutboxError(.payload, "an announcement has at most \(Self.bytes) bytes")
        }
        return bytes
    }

    private static let member = "announcement"
}
