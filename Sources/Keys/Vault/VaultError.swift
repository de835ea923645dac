import Glibc

/// A fault of the files that hold secrets. For logs: names no path and no content.
package struct VaultError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        private enum Base {
            case absent, alreadyExists, unsafe, system, sealBroken, away, pending, foreign, unknownRootKey, closed
        }
        private let base: Base
        /// The secret is gone: what it protected cannot be read any more.
        package static let absent = Code(base: .absent)
        package static let alreadyExists = Code(base: .alreadyExists)
        /// Wrong owner, mode, length or kind of file.
        package static let unsafe = Code(base: .unsafe)
        package static let system = Code(base: .system)
        /// What was sealed does not open: another root key, another shred secret, or altered bytes.
        package static let sealBroken = Code(base: .sealBroken)
        /// A replica is not there: not mounted, or never made part of the vault.
        package static let away = Code(base: .away)
        /// A destruction that not every replica confirmed; it is asked for again later.
        package static let pending = Code(base: .pending)
        /// A directory of another vault, or a database of another one.
        package static let foreign = Code(base: .foreign)
        /// Sealed under a version of the root key that this host does not have.
        package static let unknownRootKey = Code(base: .unknownRootKey)
        /// The vault could not be written for too long: keys are not used until it can.
        package static let closed = Code(base: .closed)
    }

    package let code: Code
    package let message: String
    package var isRetriable: Bool { [.system, .away, .pending, .closed].contains(code) }
    package var description: String { message }

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static func system(_ call: String, _ number: Int32) -> VaultError {
        VaultError(.system, "\(call) failed: \(String(cString: strerror(number))).")
    }

    static let gone = VaultError(.absent, "The secret does not exist.")
}
