/// What this module throws. `message` and `description` never hold a value read from a customer's data.
package struct TimeSeriesError: Error, Sendable, Equatable, CustomStringConvertible {
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Base: String { case invalidSchema, invalidArgument, malformedRow, corruptedChunk }
        private let base: Base
        private init(_ base: Base) { self.base = base }
        /// A dataset's schema breaks a rule; the message names the attribute.
        package static let invalidSchema = Code(.invalidSchema)
        /// A frequency, boundary, filling or other setting breaks a rule.
        package static let invalidArgument = Code(.invalidArgument)
        /// A row of the input breaks a rule; `location` and `rule` say where and which.
        package static let malformedRow = Code(.malformedRow)
        /// Bytes that were authenticated do not have the form that this module writes.
        package static let corruptedChunk = Code(.corruptedChunk)
        package var description: String { base.rawValue }
    }

    package let code: Code
    /// Safe to show to the caller.
    package let message: String
    package let location: RowLocation?
    package let rule: RowRule?

    package var isRetriable: Bool { false }
    package var description: String { message }

    private init(_ code: Code, _ message: String, location: RowLocation? = nil, rule: RowRule? = nil) {
        self.code = code
        self.message = message
        self.location = location
        self.rule = rule
    }

    package static func invalidSchema(_ message: String) -> TimeSeriesError { .init(.invalidSchema, message) }
    package static func invalidArgument(_ message: String) -> TimeSeriesError { .init(.invalidArgument, message) }
    package static func corruptedChunk(_ what: String) -> TimeSeriesError {
        .init(.corruptedChunk, "stored data cannot be read: \(what)")
    }
    package static func malformedRow(_ rule: RowRule, at location: RowLocation) -> TimeSeriesError {
        .init(.malformedRow, "\(location): \(rule)", location: location, rule: rule)
    }

    /// The same error with its line counted from the start of the file, for a reader that began in the middle.
    package func movingLine(by lines: Int) -> TimeSeriesError {
        guard var location, let rule else { return self }
        location.line += lines
        return .malformedRow(rule, at: location)
    }
}
