/// What this module throws. `description` never holds SQL, parameters or rows; so it can be put into any log or answer.
package struct PostgresError: Error, Sendable {
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Base: String {
            case server, configuration, connectionFailed, connectionLost, commitInDoubt, timeout, cancelled
            case poolExhausted, poolClosed
            case transactionAborted, encoding, decoding, noSuchColumn, unexpectedResult, migration
        }
        private let base: Base
        package var description: String { base.rawValue }

        /// The server refused a statement; `sqlState` says why.
        package static let server = Self(base: .server)
        /// The connection string or the server's version is wrong: trying again cannot help.
        package static let configuration = Self(base: .configuration)
        /// No connection could be made.
        package static let connectionFailed = Self(base: .connectionFailed)
        /// The connection broke under a call.
        package static let connectionLost = Self(base: .connectionLost)
        /// COMMIT was sent and its answer is not known: read the database to learn what holds.
        package static let commitInDoubt = Self(base: .commitInDoubt)
        /// The server's or the client's deadline passed.
        package static let timeout = Self(base: .timeout)
        /// The calling task was cancelled while a statement was on its way.
        package static let cancelled = Self(base: .cancelled)
        /// No connection became free in time, or too many tasks wait already.
        package static let poolExhausted = Self(base: .poolExhausted)
        package static let poolClosed = Self(base: .poolClosed)
        /// A statement of the transaction had failed and its error was swallowed: the server rolled back at COMMIT.
        package static let transactionAborted = Self(base: .transactionAborted)
        /// A parameter cannot be sent (a NUL in a string, too many parameters).
        package static let encoding = Self(base: .encoding)
        /// A value of a row is not of the type that was asked for.
        package static let decoding = Self(base: .decoding)
        package static let noSuchColumn = Self(base: .noSuchColumn)
        /// The server answered something that this client does not use (COPY, no row where one is due).
        package static let unexpectedResult = Self(base: .unexpectedResult)
        /// Migrations on disk and in the database disagree.
        package static let migration = Self(base: .migration)
    }

    package var code: Code
    /// Safe to show: no SQL, no values.
    package var message: String
    /// As the server gave it, also where the code is `.connectionLost` or `.timeout`.
    package var sqlState: String?
    package var constraintName: String?
    /// The statement was on its way outside a transaction (or COMMIT was) when the answer was lost: it may have taken effect.
    package var mayHaveTakenEffect = false
    /// For logs only: the server's words where they cannot quote values, libpq's where a connection could not be made.
    package var cause: String?

    package init(_ code: Code, message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Running the same transaction again may succeed. Where `mayHaveTakenEffect`, read first what holds.
    package var isRetriable: Bool {
        switch code {
        case .connectionFailed, .server, .timeout: sqlState.map { SQLState(rawValue: $0).isTransient } ?? (code != .server)
        case .connectionLost, .poolExhausted: true
        default: false
        }
    }

    package var isUniqueViolation: Bool { sqlState == SQLState.uniqueViolation.rawValue }

    /// A conflict of concurrent transactions (40001, 40P01): nothing took effect, and a repetition may well succeed.
    package var isConflict: Bool {
        sqlState == SQLState.serializationFailure.rawValue || sqlState == SQLState.deadlockDetected.rawValue
    }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String {
        var text = "PostgreSQL (\(code)): \(message)"
        if let sqlState { text += " [\(sqlState)]" }
        if let constraintName { text += " [constraint \(constraintName)]" }
        return text
    }

    package var debugDescription: String { description + (cause.map { " cause: \($0)" } ?? "") }
}
