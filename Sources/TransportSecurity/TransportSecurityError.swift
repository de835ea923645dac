/// Why one end of TLS can't be set up. The message is safe to show and says what to do.
package struct TransportSecurityError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        private enum Value { case files }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// A file is missing, unreadable, or not what it should be.
        package static let files = Code(.files)
    }

    package let code: Code
    package let message: String
    /// For logs only.
    package let cause: (any Error)?

    /// Files may be written again.
    package var isRetriable: Bool { true }
    package var description: String { message }

    static func files(_ message: String, cause: (any Error)? = nil) -> TransportSecurityError {
        TransportSecurityError(code: .files, message: message, cause: cause)
    }
}
