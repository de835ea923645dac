/// What can go wrong with the trail.
package struct AuditError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Base: String {
            case overloaded, outdated, unknownShard, headsNotExported, headsUnusable
            case invalidAttributes, invalidTimeRange, invalidMaxResults, invalidNextToken
        }
        private let base: Base
        private init(_ base: Base) { self.base = base }

        /// More records wait than `GroupCommit.maximumWaiting`; nothing was recorded, the call must not be answered.
        package static let overloaded = Code(.overloaded)
        /// What the request rests on has changed since it was read; nothing was recorded, and it is to be decided anew.
        package static let outdated = Code(.outdated)
        /// The head row of this process's shard is gone: another database, or one restored from before this boot.
        package static let unknownShard = Code(.unknownShard)
        /// Heads were not exported for longer than the configured bound; nothing was recorded.
        package static let headsNotExported = Code(.headsNotExported)
        /// The directory of exported heads cannot be read or written.
        package static let headsUnusable = Code(.headsUnusable)
        package static let invalidAttributes = Code(.invalidAttributes)
        package static let invalidTimeRange = Code(.invalidTimeRange)
        package static let invalidMaxResults = Code(.invalidMaxResults)
        package static let invalidNextToken = Code(.invalidNextToken)

        package var description: String { base.rawValue }
    }

    package let code: Code
    /// Safe to show to the caller.
    package let message: String
    package var isRetriable: Bool { [.overloaded, .outdated, .headsNotExported].contains(code) }
    package var description: String { "\(code): \(message)" }

    package static let outdated = AuditError(.outdated, "What the decision rests on has changed meanwhile.")

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
