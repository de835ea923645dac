/// What can go wrong with secret memory. `description` names no content and may be printed.
package struct SecretError: Error, Sendable, Equatable, CustomStringConvertible {
    package struct Code: Sendable, Equatable {
        fileprivate enum Base { case wiped, hardening }
        fileprivate let base: Base

        /// The secret was wiped: the lease it was held under ended.
        package static let wiped = Code(base: .wiped)
        /// The process could not be made non-dumpable.
        package static let hardening = Code(base: .hardening)
    }

    package let code: Code
    package let message: String

    package var description: String { message }

    package static let wiped = SecretError(code: .wiped, message: "The secret was wiped and can no longer be used.")

    static func hardening(_ call: String, errno: Int32) -> SecretError {
        SecretError(code: .hardening, message: "\(call) failed with error \(errno).")
    }
}
