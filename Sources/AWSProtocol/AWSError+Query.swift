extension AWSError {
    /// Codes and statuses that differ between the JSON services and STS and IAM.
    private static let queryNames: [String: (code: String, status: Int)] = [
        "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
        "IncompleteSignatureException": ("IncompleteSignature", 400),
        "UnrecognizedClientException": ("InvalidClientTokenId", 403),
        "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
        "ExpiredTokenException": ("ExpiredToken", 403),
        "AccessDeniedException": ("AccessDenied", 403),
        "UnknownOperationException": ("InvalidAction", 400),
        "ThrottlingException": ("Throttling", 400),
        "ValidationException": ("ValidationError", 400),
        "SerializationException": ("MalformedQueryString", 400),
    ]

    /// The same error under the name that the Query protocol has for it.
    package var inQueryForm: AWSError {
        guard let name = Self.queryNames[code] else { return self }
        var error = self
        error.code = name.code
        error.status = name.status
        return error
    }

    /// The body of the Query services; codes are mapped on the way.
    package func queryBody(namespace: String, requestID: String) -> [UInt8] {
        let error = inQueryForm
        var writer = XMLWriter()
        writer.element("ErrorResponse", namespace: namespace) { response in
            response.element("Error") {
                $0.element("Type", error.status >= 500 ? "Receiver" : "Sender")
                $0.element("Code", error.code)
                $0.element("Message", error.message)
            }
            response.element("RequestId", requestID)
        }
        return writer.bytes
    }
}
