/// Why a certificate can't be made, read or used. The message is safe to show and holds no key.
package struct CertificatesError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        private enum Value { case input, file, content }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// What was asked for can't be.
        package static let input = Code(.input)
        /// A file can't be read or written, or others may read it.
        package static let file = Code(.file)
        /// A file does not hold what it should.
        package static let content = Code(.content)
    }

    package let code: Code
    package let message: String
    /// For logs only.
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Files may be written again; nothing else mends itself.
    package var isRetriable: Bool { code != .input }
    package var description: String { message }
}
