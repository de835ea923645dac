/// What this module throws. `message` and `description` never hold a value read from a customer's data.
package struct ForecastingError: Error, Sendable, Equatable, CustomStringConvertible {
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Base: String { case invalidArgument, corruptedData }
        private let base: Base
        private init(_ base: Base) { self.base = base }
        /// A setting of a predictor or forecast breaks a rule; the message names it.
        package static let invalidArgument = Code(.invalidArgument)
        /// Bytes that were authenticated do not have the form that this module writes.
        package static let corruptedData = Code(.corruptedData)
        package var description: String { base.rawValue }
    }

    package let code: Code
    /// Safe to show to the caller.
    package let message: String
    package var isRetriable: Bool { false }
    package var description: String { message }

    package static func invalidArgument(_ message: String) -> ForecastingError {
        .init(code: .invalidArgument, message: message)
    }
    package static func corruptedData(_ what: String) -> ForecastingError {
        .init(code: .corruptedData, message: "stored data cannot be read: \(what)")
    }
}

/// Called between and inside fits. It throws to end the work: the task was stopped, or its lease or key lease is gone.
package typealias Checkpoint = () throws -> Void
