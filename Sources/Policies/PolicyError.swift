/// A policy document that cannot be taken.
///
/// `message` names the place and the rule and is safe to show to whoever sent the document; it repeats nothing of
/// the document but the names of its members.
package struct PolicyError: Error, Sendable, Equatable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        private enum Value { case malformed, tooLarge }
        private let value: Value
        /// The document breaks the grammar; AWS calls it MalformedPolicyDocument.
        package static let malformed = Code(value: .malformed)
        /// The document has more characters than its kind may have.
        package static let tooLarge = Code(value: .tooLarge)
    }

    package let code: Code
    package let message: String
    package var isRetriable: Bool { false }
    package var description: String { message }

    static func malformed(_ message: String) -> PolicyError {
        PolicyError(code: .malformed, message: message)
    }
}
