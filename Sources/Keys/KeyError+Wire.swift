extension KeyError.Code {
    /// The code on the wire, as KMS's model has it.
    package var wireName: String {
        switch self {
        case .accessDenied: "AccessDeniedException"
        case .alreadyExists: "AlreadyExistsException"
        case .disabled: "DisabledException"
        case .dryRun: "DryRunOperationException"
        case .incorrectKey: "IncorrectKeyException"
        case .invalidAliasName: "InvalidAliasNameException"
        case .invalidArn: "InvalidArnException"
        case .invalidCiphertext: "InvalidCiphertextException"
        case .invalidGrantID: "InvalidGrantIdException"
        case .invalidGrantToken: "InvalidGrantTokenException"
        case .invalidKeyUsage: "InvalidKeyUsageException"
        case .invalidMarker: "InvalidMarkerException"
        case .invalidState: "KMSInvalidStateException"
        case .limitExceeded: "LimitExceededException"
        case .malformedPolicy: "MalformedPolicyDocumentException"
        case .notFound: "NotFoundException"
        case .tag: "TagException"
        case .unsupported: "UnsupportedOperationException"
        case .validation: "ValidationException"
        default: "KMSInternalException"
        }
    }

    /// What the trail shows as errorCode: that of the wire, but without `Exception` for a denied request.
    package var trailName: String { self == .accessDenied ? "AccessDenied" : wireName }

    package var httpStatus: Int {
        switch self {
        case .internal: 500
        case .dryRun: 412
        default: 400
        }
    }
}
