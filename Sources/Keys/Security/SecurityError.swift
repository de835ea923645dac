/// Why an authority does not serve: its database and its vault do not belong together as they are.
package struct SecurityError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        private enum Base { case behind, foreignVault, wrongRootKey, wentBack, rotation }
        private let base: Base
        /// The database is older than what the vault has noted of it.
        package static let behind = Code(base: .behind)
        package static let foreignVault = Code(base: .foreignVault)
        package static let wrongRootKey = Code(base: .wrongRootKey)
        /// The database is older than what this process has read of it.
        package static let wentBack = Code(base: .wentBack)
        /// A rotation of the root key that cannot go on.
        package static let rotation = Code(base: .rotation)
    }

    package let code: Code
    /// Safe to print: versions, counts and ids of shards alone.
    package let message: String
    package var isRetriable: Bool { false }
    package var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
