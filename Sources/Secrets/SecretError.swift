/// What can go wrong with secret memory. `description` names no content and may be printed.
package struct SecretError: Error, Sendable, Equatable, CustomStringConvertible {
    package struct Code: Sendable, Equatable {
        fileprivate enum Base { case wiped, hardening, locking }
        fileprivate let base: Base

        /// The secret was wiped: the lease it was held under ended.
        package static let wiped = Code(base: .wiped)
        /// The process could not be made non-dumpable.
        package static let hardening = Code(base: .hardening)
        /// Memory must be locked and cannot be.
        package static let locking = Code(base: .locking)
    }

    package let code: Code
    package let message: String

    package var description: String { message }
    /// Locked memory may be free again later.
    package var isRetriable: Bool { code == .locking }

    package static let wiped = SecretError(code: .wiped, message: "The secret was wiped and can no longer be used.")

    static func hardening(_ call: String, errno: Int32) -> SecretError {
        SecretError(code: .hardening, message: "\(call) failed with error \(errno).")
    }

    static func locking(_ bytes: Int) -> SecretError {
        SecretError(
            code: .locking,
            message: "\(bytes) bytes of memory cannot be locked, and secrets.require_locked asks for it: raise RLIMIT_MEMLOCK.")
    }
}
