import AWSClients
import AWSProtocol

/// What a store asks of S3, with the right that it takes.
enum S3Call: String, Sendable {
    case abort = "s3:AbortMultipartUpload"
    case delete = "s3:DeleteObject"
    case get = "s3:GetObject"
    /// Without the second right S3 does not say that there is no object: it refuses.
    case head = "s3:GetObject and s3:ListBucket"
    case list = "s3:ListBucket"
    case listUploads = "s3:ListBucketMultipartUploads"
    case put = "s3:PutObject"
}

extension ObjectStoreError {
    /// One table from S3's codes. Messages name the bucket and the right, both of which the bucket's owner knows.
    static func s3(_ call: S3Call, _ bucket: BucketName, _ error: AWSError) -> ObjectStoreError {
        func made(_ code: Code, _ message: String) -> ObjectStoreError {
            ObjectStoreError(
                code, "bucket \(bucket): \(message)", cause: Cause(call: call.rawValue, reason: error.reason))
        }
        switch error.code {
        case "NoSuchBucket":
            return ObjectStoreError(
                .notFound, "there is no bucket \(bucket)", cause: Cause(call: call.rawValue, reason: error.reason))
        case "NoSuchKey", "NotFound":
            return ObjectStoreError(
                .notFound, "there is no such object", cause: Cause(call: call.rawValue, reason: error.reason))
        case "NoSuchUpload": return made(.unavailable, "the upload was removed before it was complete")
        case "PreconditionFailed" where call == .put: return ObjectStoreError(.alreadyExists, "the name is taken")
        case "PreconditionFailed": return made(.changed, "the object changed while it was read")
        case "AccessDenied", "Forbidden", "AllAccessDisabled", "AccountProblem":
            return made(.denied, "the store does not permit \(call.rawValue)")
        case "SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken", "InvalidSecurity", "TokenRefreshRequired":
            return made(.denied, "the store does not accept the access key that asks for \(call.rawValue) (\(error.code))")
        case "ExpiredToken": return made(.unavailable, "the session that asks for \(call.rawValue) has expired")
        case "RequestTimeTooSkewed":
            return made(.unavailable, "the clocks of this machine and of the store are too far apart (\(error.code))")
        case "Redirect", "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException":
            return made(.refused, "it is in another region or at another endpoint, and redirects are not followed")
        case "NotImplemented":
            return made(.refused, "the store does not know what is asked of it (\(call.rawValue), or its condition)")
        case "InvalidObjectState": return made(.refused, "the object is archived")
        case "EntityTooLarge": return made(.tooLarge, "the object is too large for the store")
        case "KeyTooLongError", "InvalidURI", "InvalidBucketName": return made(.invalidName, "the store does not take this name")
        case "InsufficientStorage", "QuotaExceeded": return made(.noSpace, "the store is full")
        case "MalformedAnswer": return made(.inputOutput, "the store's answer can't be read")
        case "RequestCancelled": return made(.unavailable, "the request was cancelled")
        default:
            if let failure = error.cause as? TLSConnectionFailure {
                return made(.unavailable, "no TLS connection to the store: \(failure.explanation)")
            }
            if error.isThrottling { return made(.busy, "the store asks for fewer requests") }
            if error.isRetriable { return made(.unavailable, "the store does not answer, or not now (\(error.code))") }
            if error.status == 507 { return made(.noSpace, "the store is full") }
            return made(.refused, "the store refuses \(call.rawValue) (\(error.code))")
        }
    }
}

extension AWSError {
    fileprivate var reason: String { "\(status) \(self)" + (cause.map { " (\($0))" } ?? "") }
}
