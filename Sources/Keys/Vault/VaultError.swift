import Glibc

/// A fault of the files that hold secrets. For logs: names no path and no content.
package struct VaultError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        private enum Base { case absent, alreadyExists, unsafe, system, sealBroken }
        private let base: Base
        /// The secret is gone: what it protected cannot be read any more.
        package static let absent = Code(base: .absent)
        package static let alreadyExists = Code(base: .alreadyExists)
        /// Wrong owner, mode, length or kind of file.
        package static let unsafe = Code(base: .unsafe)
        package static let system = Code(base: .system)
        /// What was sealed does not open: another root key, another shred secret, or altered bytes.
        package static let sealBroken = Code(base: .sealBroken)
    }

    package let code: Code
    package let message: String
    package var isRetriable: Bool { code == .system }
    package var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static func system(_ call: String, _ number: Int32) -> VaultError {
        VaultError(.system, "\(call) failed: \(String(cString: strerror(number))).")
    }
}
