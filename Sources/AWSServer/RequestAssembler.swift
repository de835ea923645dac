import AWSProtocol
import NIOCore
import NIOHTTP1
import Secrets

/// Puts a request together from its parts, within the bounds, or says why it is refused. Pure.
struct RequestAssembler {
    enum Action: Equatable {
        case none
        /// Answer with this and read no more of it.
        case refuse(status: Int, AWSErrorText)
        /// The client waits for leave to send the body.
        case sendContinue
        case deliver
    }

    /// Code and message of an error, comparable for tests.
    struct AWSErrorText: Equatable {
        let code: String
        let message: String

        init(_ error: AWSError) {
            code = error.code
            message = error.message
        }
    }

    private let bounds: AWSServerBounds
    private let secretTargets: Set<String>
    private(set) var head: HTTPRequestHead?
    private(set) var body: [UInt8] = []
    /// In place of `body`, for a target that brings a secret.
    private(set) var secretBody: WipedBytes?
    private var headerBytes = 0

    /// Of headers and body, as far as they have come.
    var bytes: Int { headerBytes + (secretBody?.count ?? body.count) }

    init(bounds: AWSServerBounds, secretTargets: Set<String> = []) {
        self.bounds = bounds
        self.secretTargets = secretTargets
    }

    mutating func receive(head: HTTPRequestHead) -> Action {
        self.head = head
        body = []
        secretBody = head.headers["x-amz-target"].contains(where: secretTargets.contains) ? WipedBytes() : nil
        guard head.version == .http1_1 || head.version == .http1_0 else {
            return refuse(.serialization("Only HTTP/1.1 is spoken here."))
        }
        // What the signature covers is the path: a whole URL or an asterisk could name another.
        guard head.uri.utf8.first == UInt8(ascii: "/") else { return refuse(.serialization("The target must be a path.")) }
        headerBytes = head.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        guard head.headers.count <= bounds.headerCount, headerBytes <= bounds.headerBytes else {
            return refuse(.headersTooLarge)
        }
        let lengths = head.headers["content-length"]
        let codings = head.headers["transfer-encoding"]
        // Two readers that prefer different ones of these see different requests (request smuggling).
        guard lengths.count <= 1, codings.count <= 1, lengths.isEmpty || codings.isEmpty else {
            return refuse(.serialization("The length of the body is ambiguous."))
        }
        if let length = lengths.first {
            guard !length.isEmpty, length.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
                return refuse(.serialization("The length of the body is not a number."))
            }
            // A number too long for Int is too large too.
            guard let count = Int(length), count <= bounds.bodyBytes else { return refuse(tooLarge) }
        }
        if let coding = codings.first, !coding.isEqualIgnoringASCIICase(to: "chunked") {
            return refuse(.serialization("The transfer coding is not known."))
        }
        let expectations = head.headers["expect"]
        guard expectations.allSatisfy({ $0.isEqualIgnoringASCIICase(to: "100-continue") }) else {
            return refuse(AWSError(code: "ExpectationFailed", message: "The expectation cannot be met.", status: 417))
        }
        return expectations.isEmpty ? .none : .sendContinue
    }

    mutating func receive(body buffer: ByteBuffer) -> Action {
        let before = secretBody?.count ?? body.count
        guard before + buffer.readableBytes <= bounds.bodyBytes else { return refuse(tooLarge) }
        if let secretBody {
            buffer.withUnsafeReadableBytes { secretBody.append($0) }
            buffer.overwrite()
            return .none
        }
        body.append(contentsOf: buffer.readableBytesView)
        return .none
    }

    func receiveEnd(trailers: HTTPHeaders?) -> Action {
        // Headers that come after the body were never checked.
        guard trailers?.isEmpty ?? true else { return refuse(.serialization("Trailers are not taken.")) }
        return .deliver
    }

    private var tooLarge: AWSError { .requestTooLarge(maximumBytes: bounds.bodyBytes) }

    private func refuse(_ error: AWSError) -> Action {
        .refuse(status: error.status, AWSErrorText(error))
    }
}

extension AWSError {
    static var headersTooLarge: AWSError {
        AWSError(code: "RequestHeaderSectionTooLarge", message: "The headers are too long or too many.", status: 431)
    }
}
