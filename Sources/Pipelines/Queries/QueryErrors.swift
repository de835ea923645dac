package import AWSProtocol
import Artifacts
import Jobs
import ObjectStore
import Postgres

/// What the caller of a query is told, in one table: access denied where the key can't be used, to come back later where
/// something does not answer, and what the query itself got wrong.
package enum QueryErrors {
    package static func awsError(_ error: any Error, key: String) -> AWSError {
        switch error {
        case let error as AWSError where ofTheQuery.contains(error.code):
            return error
        case let error as AWSError where isDenied(error):
            return denied(key, error.message.isEmpty ? "\(error.code)." : error.message)
        case let error as KeyLeaseLost:
            guard case .denied(let text) = error.reason else { return .serviceUnavailable(cause: error) }
            return denied(key, text)
        case is AWSError, is CancellationError:
            return .serviceUnavailable(cause: error)
        case let error as JobError where error.isRetriable:
            return .serviceUnavailable(cause: error)
        case let error as ObjectStoreError where error.isRetriable:
            return .serviceUnavailable(cause: error)
        case let error as PostgresError where error.isRetriable:
            return .serviceUnavailable(cause: error)
        default:
            return .internalFailure(cause: error)
        }
    }

    /// Whether KMS or STS said no to key or role. Broken credentials of our own say nothing of the customer's key.
    package static func isDenied(_ error: any Error) -> Bool {
        switch error {
        case let error as AWSError:
            !ofTheQuery.contains(error.code) && KeyRefusal(error) != nil
        case let error as KeyLeaseLost:
            !error.isRetriable
        default:
            false
        }
    }

    /// Codes that a query is refused with for its own sake; KMS and STS have none of them.
    private static let ofTheQuery: Set<String> = ["InvalidInputException", "ResourceNotFoundException"]

    private static func denied(_ key: String, _ reason: String) -> AWSError {
        .accessDenied("Forecast can't use the key \(key): \(reason)")
    }
}
