/// Why an edge does not serve.
package struct AWSServerError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        private enum Value { case configuration, bind }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        package static let configuration = Code(.configuration)
        /// The address is taken, not ours, or not allowed.
        package static let bind = Code(.bind)
    }

    package let code: Code
    package let message: String
    /// For logs only.
    package let cause: (any Error)?

    /// An address that is taken now may be free later.
    package var isRetriable: Bool { code == .bind }
    package var description: String { message }

    static func configuration(_ message: String) -> AWSServerError {
        AWSServerError(code: .configuration, message: message, cause: nil)
    }
}
