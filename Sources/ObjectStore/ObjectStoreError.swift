/// Any failure of a store. `description` names the code and the object; what the system said stays in `cause`.
package struct ObjectStoreError: Error, Sendable, CustomStringConvertible {
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case invalidName, notFound, alreadyExists, refused, denied, noSpace, tooLarge, busy, inputOutput, misuse
            case changed, unavailable
        }
        private let base: Base
        private init(_ base: Base) { self.base = base }

        /// A key, prefix, bucket or URL that breaks a rule; nothing was opened.
        package static let invalidName = Code(.invalidName)
        package static let notFound = Code(.notFound)
        /// The name is taken. Names are write-once, so nothing was changed.
        package static let alreadyExists = Code(.alreadyExists)
        /// The name leads over a symbolic link or out of the store, or to what is neither file nor folder; a server that will not
        /// do what is needed.
        package static let refused = Code(.refused)
        package static let denied = Code(.denied)
        package static let noSpace = Code(.noSpace)
        package static let tooLarge = Code(.tooLarge)
        /// Out of descriptors, or the same file was moved about while it was being resolved.
        package static let busy = Code(.busy)
        package static let inputOutput = Code(.inputOutput)
        /// Other content was put in the object's place while it was read.
        package static let changed = Code(.changed)
        /// The server does not answer, or not now.
        package static let unavailable = Code(.unavailable)
        /// The writer or reader had already ended.
        package static let misuse = Code(.misuse)

        package var description: String { base.rawValue }
    }

    package let code: Code
    /// Safe to show to the owner of the bucket: rules and names, never content or a path of this machine.
    package let message: String
    package let cause: Cause?

    /// What the system or the server said; for logs only.
    package struct Cause: Sendable {
        package let call: String
        /// 0 where a server said it.
        package let errno: Int32
        package let reason: String

        init(call: String, errno: Int32 = 0, reason: String = "") {
            self.call = call
            self.errno = errno
            self.reason = reason
        }
    }

    package init(_ code: Code, _ message: String, cause: Cause? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Whether the same call may succeed later without anybody changing the request.
    package var isRetriable: Bool { Self.passing.contains(code) }

    private static let passing: Set<Code> = [.noSpace, .busy, .inputOutput, .unavailable]

    package var description: String { "\(code): \(message)" }
}
