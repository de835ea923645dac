/// Keys of structured log metadata, so that one thing has one name in every line.
///
/// Never logged under any key: plaintext, data keys, `Authorization`, session and grant tokens, SQL parameters.
package enum LogField {
    package static let account = "account"
    package static let address = "address"
    package static let attempt = "attempt"
    /// What lies behind an error; may name hosts and identifiers, never values.
    package static let cause = "cause"
    /// OK, or the code of an error.
    package static let code = "code"
    package static let count = "count"
    package static let epoch = "epoch"
    package static let error = "error"
    package static let fence = "fence"
    package static let grant = "grant"
    package static let job = "job"
    package static let key = "key"
    package static let kind = "kind"
    package static let operation = "operation"
    package static let principal = "principal"
    package static let requestID = "request_id"
    package static let resource = "resource"
    package static let seconds = "seconds"
    package static let service = "service"
    package static let spanID = "span_id"
    package static let state = "state"
    package static let task = "task"
    package static let topic = "topic"
    package static let traceID = "trace_id"
    package static let worker = "worker"
}
