/// I8: clients saw no error but those that the service's documents name.
package struct DocumentedErrors: Invariant {
    package let name = "I8"
    package let title = "clients saw documented errors only"

    /// Errors of Amazon Forecast's operations and AWS's common errors, by the names under which SDKs know them, with the HTTP
    /// status of each; the services' protocols spell some of the common ones in two ways.
    package static let table: [String: Set<Int>] = [
        "InvalidInputException": [400], "InvalidNextTokenException": [400], "LimitExceededException": [400],
        "ResourceAlreadyExistsException": [400], "ResourceInUseException": [400], "ResourceNotFoundException": [400],

        "AccessDeniedException": [400, 403], "ExpiredTokenException": [400, 403], "IncompleteSignature": [400, 403],
        "IncompleteSignatureException": [400, 403], "InternalFailure": [500], "InternalServerError": [500],
        "InvalidSignatureException": [400, 403], "MissingAuthenticationToken": [400, 403],
        "MissingAuthenticationTokenException": [400, 403], "NotAuthorized": [400, 401], "OptInRequired": [403],
        "RequestAbortedException": [400], "RequestEntityTooLarge": [413], "RequestEntityTooLargeException": [413],
        "RequestExpired": [400], "RequestTimeoutException": [408], "SerializationException": [400],
        "ServiceUnavailable": [503], "ServiceUnavailableException": [503], "ThrottlingException": [400, 429],
        "UnknownOperationException": [400, 404], "UnrecognizedClientException": [400, 403], "ValidationError": [400],
        "ValidationException": [400],
    ]

    package init() {}

    package func check(_ cluster: VerifiedCluster) async throws -> Finding {
        var finding = Finding()
        finding.count("errors of clients", cluster.clientErrors.count)
        if cluster.clientErrors.isEmpty { finding.note("no client's error was given") }
        var counts: [ClientError: Int] = [:]
        for error in cluster.clientErrors { counts[error, default: 0] += 1 }
        for (error, count) in counts.sorted(by: { ($0.key.code, $0.key.operation) < ($1.key.code, $1.key.operation) }) {
            guard Self.table[error.code]?.contains(error.status) != true else { continue }
            finding.violation("\(error.operation) answered \(error.code) with status \(error.status), \(count) times")
        }
        return finding
    }
}
