/// What goes wrong with a job or in the engine.
///
/// `message` is safe: it may become the `Message` of a resource and is what `description` prints. `cause` is for
/// logs only.
package struct JobError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Base: String { case final, retriable, leaseLost, released, unknownJob, invalid, notAccepted }
        private let base: Base

        /// Ends the job at once: access denied, malformed input.
        package static let final = Code(base: .final)
        /// A fault of a server or the network: tried again with backoff, up to a deadline.
        package static let retriable = Code(base: .retriable)
        /// This attempt no longer owns its task: somebody else goes on, or the job ended. Nothing may be written.
        package static let leaseLost = Code(base: .leaseLost)
        /// The worker is draining: the task goes back to the queue and the attempt does not count.
        package static let released = Code(base: .released)
        package static let unknownJob = Code(base: .unknownJob)
        package static let invalid = Code(base: .invalid)
        package static let notAccepted = Code(base: .notAccepted)

        package var description: String { base.rawValue }
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        // Bounded here, as the tables bound it: a message too long must not become a failure to record a failure.
        self.message = message.bounded(scalars: Self.messageCharactersMax)
        self.cause = cause
    }

    package var isRetriable: Bool { code == .retriable }
    package var description: String { message }

    package static let messageCharactersMax = 1024

    package static func final(_ message: String, cause: (any Error)? = nil) -> JobError {
        JobError(.final, message, cause: cause)
    }

    package static func retriable(_ message: String, cause: (any Error)? = nil) -> JobError {
        JobError(.retriable, message, cause: cause)
    }

    package static func leaseLost(_ what: String) -> JobError {
        JobError(.leaseLost, "This attempt no longer owns its task: \(what).")
    }

    package static let released = JobError(.released, "The worker is draining; the task goes back to the queue.")
}

extension String {
    /// As PostgreSQL takes and counts it: that many scalars at most, none of them NUL.
    func bounded(scalars count: Int) -> String {
        String(String.UnicodeScalarView(unicodeScalars.lazy.filter { $0 != "\0" }.prefix(count)))
    }
}
