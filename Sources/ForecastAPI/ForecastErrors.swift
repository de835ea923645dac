import AWSProtocol

/// The errors of the Forecast API's model, all HTTP 400.
extension AWSError {
    static func invalidInput(_ message: String) -> AWSError {
        AWSError(code: "InvalidInputException", message: message)
    }

    static func resourceNotFound(_ arn: String) -> AWSError {
        AWSError(code: "ResourceNotFoundException", message: "No resource found \(arn)")
    }

    static func resourceAlreadyExists(_ message: String) -> AWSError {
        AWSError(code: "ResourceAlreadyExistsException", message: message)
    }

    static func resourceInUse(_ message: String) -> AWSError {
        AWSError(code: "ResourceInUseException", message: message)
    }

    static var invalidNextToken: AWSError {
        AWSError(code: "InvalidNextTokenException", message: "The token is not valid. Tokens expire after 24 hours.")
    }
}
