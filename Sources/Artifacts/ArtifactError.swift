/// What can go wrong with artifacts beyond a message that is not authentic (`EnvelopeError`), a store that fails
/// (`ObjectStoreError`) and a key that was withdrawn (`KeyLeaseLost`). Messages name objects and bounds, never content.
package struct ArtifactError: Error, Sendable, Equatable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        fileprivate enum Base { case invalidInput, conflict, malformedManifest, missing, tooLarge }
        fileprivate let base: Base

        /// A scope, name or section that cannot be written.
        package static let invalidInput = Code(base: .invalidInput)
        /// The object's name is taken by other content. The attempt has lost.
        package static let conflict = Code(base: .conflict)
        /// The manifest is authentic, but not one that this version reads.
        package static let malformedManifest = Code(base: .malformedManifest)
        /// An object that is pinned is not there.
        package static let missing = Code(base: .missing)
        package static let tooLarge = Code(base: .tooLarge)
    }

    package let code: Code
    package let message: String

    package var description: String { message }
    package var isRetriable: Bool { false }

    static func invalidInput(_ message: String) -> ArtifactError { ArtifactError(code: .invalidInput, message: message) }

    static func conflict(_ object: String) -> ArtifactError {
        ArtifactError(code: .conflict, message: "The object \(object) exists already with other content.")
    }

    static func malformedManifest(_ message: String) -> ArtifactError {
        ArtifactError(code: .malformedManifest, message: "The manifest cannot be read: \(message).")
    }

    static func missing(_ object: String) -> ArtifactError {
        ArtifactError(code: .missing, message: "The object \(object) is missing from the artifact store.")
    }

    static func tooLarge(_ message: String) -> ArtifactError { ArtifactError(code: .tooLarge, message: message) }
}
