/// What can go wrong with accounts, users, keys and roles. Codes are named as IAM names them.
package struct AccountsError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Base: String {
            case noSuchEntity, entityAlreadyExists, invalidInput, malformedPolicy, limitExceeded, deleteConflict, sessionEnded
            case invalidAuthenticationCode
        }
        private let base: Base
        private init(_ base: Base) { self.base = base }

        package static let noSuchEntity = Code(.noSuchEntity)
        package static let entityAlreadyExists = Code(.entityAlreadyExists)
        /// A name, path or number that breaks its rule.
        package static let invalidInput = Code(.invalidInput)
        package static let malformedPolicy = Code(.malformedPolicy)
        /// More of something, or a longer policy, than there may be.
        package static let limitExceeded = Code(.limitExceeded)
        /// Something still belongs to what was to be deleted.
        package static let deleteConflict = Code(.deleteConflict)

        /// A code of an MFA device that is wrong, used already or out of turn.
        package static let invalidAuthenticationCode = Code(.invalidAuthenticationCode)

        /// The session that signed a request is gone since: its role was deleted.
        package static let sessionEnded = Code(.sessionEnded)

        package var description: String { base.rawValue }
    }

    package let code: Code
    /// Safe to show: names of entities and rules, no secret and no part of a policy.
    package let message: String
    package var isRetriable: Bool { false }
    package var description: String { message }

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// A policy names somebody who does not exist.
    package static let invalidPrincipal = AccountsError(.malformedPolicy, "Invalid principal in policy.")
}
