/// The five characters with which PostgreSQL names a condition (PostgreSQL manual, appendix A).
package struct SQLState: RawRepresentable, Sendable, Hashable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    package static let uniqueViolation = Self(rawValue: "23505")
    package static let foreignKeyViolation = Self(rawValue: "23503")
    package static let checkViolation = Self(rawValue: "23514")
    package static let notNullViolation = Self(rawValue: "23502")
    package static let serializationFailure = Self(rawValue: "40001")
    package static let deadlockDetected = Self(rawValue: "40P01")
    package static let lockNotAvailable = Self(rawValue: "55P03")
    package static let queryCanceled = Self(rawValue: "57014")
    package static let adminShutdown = Self(rawValue: "57P01")
    package static let cannotConnectNow = Self(rawValue: "57P03")
    package static let idleInTransactionTimeout = Self(rawValue: "25P03")
    package static let invalidCatalogName = Self(rawValue: "3D000")
    package static let duplicateDatabase = Self(rawValue: "42P04")
    package static let undefinedTable = Self(rawValue: "42P01")
    package static let featureNotSupported = Self(rawValue: "0A000")
    package static let invalidStatementName = Self(rawValue: "26000")
    package static let tooManyConnections = Self(rawValue: "53300")

    /// First two characters: the class of the condition.
    var conditionClass: Substring { rawValue.prefix(2) }

    /// The transaction had no effect and may succeed if it is run again as it is.
    var isTransient: Bool {
        switch self {
        case .serializationFailure, .deadlockDetected, .lockNotAvailable, .queryCanceled: true
        default: ["08", "53", "57"].contains(conditionClass)
        }
    }

    /// Waiting for a connection is pointless: it is the configuration that is wrong, not the server's state.
    var isFinalForConnecting: Bool { ["28", "3D", "42"].contains(conditionClass) }

    /// The server's message names identifiers only. Data exceptions and raised ones may quote values.
    var messageIsFreeOfValues: Bool { !["22", "P0", "23"].contains(conditionClass) }

    /// What went wrong, in words.
    var condition: String {
        switch self {
        case .uniqueViolation: "a unique constraint is violated"
        case .foreignKeyViolation: "a foreign key is violated"
        case .checkViolation: "a check constraint is violated"
        case .notNullViolation: "a value that must not be null is null"
        case .serializationFailure: "the transaction conflicts with another one"
        case .deadlockDetected: "a deadlock was found"
        case .lockNotAvailable: "a lock could not be had"
        case .queryCanceled: "the statement ran out of time"
        case .undefinedTable: "a table does not exist"
        case .cannotConnectNow: "the server is starting up or shutting down"
        case .tooManyConnections: "the server has too many connections"
        default:
            switch conditionClass {
            case "08": "the connection failed"
            case "22": "a value is not valid for its type"
            case "23": "a constraint is violated"
            case "25": "the transaction is in a state that does not allow this"
            case "28": "the server refused the credentials"
            case "3D": "the database does not exist"
            case "40": "the transaction was rolled back"
            case "42": "the statement is wrong or not permitted"
            case "53": "the server lacks resources"
            case "54": "a limit of the server is exceeded"
            case "57": "the server was told to stop"
            case "58", "XX": "the server has a fault of its own"
            default: "the statement failed"
            }
        }
    }
}
