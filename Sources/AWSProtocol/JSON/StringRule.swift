/// What a member of the API's model may hold: its length in characters and its alphabet.
package struct StringRule: Sendable {
    package let length: ClosedRange<Int>
    /// The pattern as the service's model has it, for the message.
    package let pattern: String?
    private let allows: (@Sendable (String) -> Bool)?

    package init(
        length: ClosedRange<Int>, pattern: String? = nil, allows: (@Sendable (String) -> Bool)? = nil
    ) {
        self.length = length
        self.pattern = pattern
        self.allows = allows
    }

    /// The rule that the text breaks, in the words of AWS's messages; nil where it keeps all.
    package func violation(of text: String) -> String? {
        let count = text.unicodeScalars.count
        if count < length.lowerBound { return "Member must have length greater than or equal to \(length.lowerBound)" }
        if count > length.upperBound { return "Member must have length less than or equal to \(length.upperBound)" }
        if let allows, !allows(text) {
            return "Member must satisfy regular expression pattern: \(pattern ?? "")"
        }
        return nil
    }
}
