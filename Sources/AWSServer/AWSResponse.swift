package import AWSProtocol
package import Secrets

/// What an edge answers. The server adds `x-amzn-RequestId`, `Content-Type` and `Content-Length`.
package struct AWSResponse: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// A body that holds a data key: wiped, with the buffer it was sent from, as soon as it is on its way.
        case secret(SharedSecret)
    }

    package static let jsonContentType = "application/x-amz-json-1.1"
    package static let xmlContentType = "text/xml"

    package var status: Int
    package var headers: [(String, String)]
    package var body: Body
    package var contentType: String

    package init(
        status: Int = 200, headers: [(String, String)] = [], body: Body = .bytes([]),
        contentType: String = Self.jsonContentType
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.contentType = contentType
    }
}

extension AWSResponse {
    package static func json(_ object: JSONObject) -> AWSResponse {
        AWSResponse(body: .bytes(object.serialized()))
    }

    /// A JSON body in locked memory, made by `JSONObject.serialized(secretMember:…)`.
    package static func secretJSON(_ body: SharedSecret) -> AWSResponse {
        AWSResponse(body: .secret(body))
    }

    /// The answer of an operation without output.
    package static var empty: AWSResponse { AWSResponse() }

    package static func xml(_ bytes: [UInt8]) -> AWSResponse {
        AWSResponse(body: .bytes(bytes), contentType: xmlContentType)
    }

    /// An error as the JSON services answer it; its cause stays here.
    package static func error(_ error: AWSError, messageMember: String = "message") -> AWSResponse {
        AWSResponse(status: error.status, body: .bytes(error.jsonBody(messageMember: messageMember)))
    }

    /// An error as the Query services answer it, under its name there.
    package static func queryError(_ error: AWSError, namespace: String, requestID: String) -> AWSResponse {
        AWSResponse(
            status: error.inQueryForm.status,
            body: .bytes(error.queryBody(namespace: namespace, requestID: requestID)), contentType: xmlContentType)
    }
}
