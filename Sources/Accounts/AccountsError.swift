/// What can go wrong with accounts, users, keys and roles. Codes are named as IAM names them.
package struct AccountsError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Base: String {
            case noSuchEntity, entityAlreadyExists, invalidInput, malformedPolicy, limitExceeded, deleteConflict, sessionEnded
        }
        private let base: Base
        private init(_ base: Base) { self.base = base }

        package static let noSuchEntity = Code(.noSuchEntity)
        package static let entityAlreadyExists = Code(.entityAlreadyExists)
        /// A name, path or number that breaks its rule.
        package static let invalidInput = Code(.invalidInput)
        package static let malformedPolicy = Code(.malformedPolicy)
        /// More access keys than `AccountsStore.maximumAccessKeysPerUser`.
        package static let limitExceeded = Code(.limitExceeded)
        /// Something still belongs to what was to be deleted.
        package static let deleteConflict = Code(.deleteConflict)

        /// The session that signed a request is gone since: its role was deleted.
        package static let sessionEnded = Code(.sessionEnded)

        package var description: String { base.rawValue }
    }

    package let code: Code
    /// Safe to show: names of entities and rules, no secret and no part of a policy.
    package let message: String
    package var isRetriable: Bool { false }
    package var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
