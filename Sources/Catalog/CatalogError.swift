/// What goes wrong with resources. Messages are safe to show to the owner of the resource.
package struct CatalogError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        private enum Base { case alreadyExists, statusChanged, newerVersion }
        private let base: Base

        /// The ARN is taken.
        package static let alreadyExists = Code(base: .alreadyExists)
        /// The resource was not in the state that the change needs: it was changed or deleted meanwhile.
        package static let statusChanged = Code(base: .statusChanged)
        /// The row was written by a version that this one can't read.
        package static let newerVersion = Code(base: .newerVersion)
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var isRetriable: Bool { false }
    package var description: String { message }
}
