package import AWSProtocol
import Secrets

/// Makes errors of a service's answers.
enum AnswerError {
    /// Longest message that is taken over from a service.
    static let maximumMessageCharacters = 4096

    static func json(status: Int, body: [UInt8]) -> AWSError {
        // Some servers that stand for AWS refuse in XML whatever was asked.
        guard let object = try? JSONObject.parseBody(body, limits: .response) else {
            return query(status: status, body: body)
        }
        let message = object["message"]?.stringValue ?? object["Message"]?.stringValue ?? ""
        guard let type = object["__type"]?.stringValue, !type.isEmpty else { return unknown(status: status) }
        // `com.amazonaws.kms#NotFoundException:http://…` stands for NotFoundException.
        let code = type.split(separator: "#").last?.split(separator: ":").first ?? ""
        return AWSError(code: String(code), message: String(message.prefix(maximumMessageCharacters)), status: status)
    }

    /// Of a refusal where a secret was expected: should there be one all the same, it is wiped.
    static func json(status: Int, secretBody text: SharedSecret, _ secretMember: String) -> AWSError {
        if let (secret, rest) = try? extracting(secretMember, from: text) {
            secret?.wipe()
            return json(status: status, body: rest)
        }
        guard let body = try? text.withUnsafeBytes({ Array($0) }) else { return unknown(status: status) }
        return json(status: status, body: body)
    }

    static func query(status: Int, body: [UInt8]) -> AWSError {
        let root = XMLReader.parse(body)
        guard let error = root?["Error"] ?? root?["Errors"]?["Error"], let code = error["Code"]?.text, !code.isEmpty else {
            return unknown(status: status)
        }
        return AWSError(
            code: code, message: String((error["Message"]?.text ?? "").prefix(maximumMessageCharacters)), status: status)
    }

    static func reading(_ body: [UInt8]) throws(AWSError) -> JSONObject {
        do {
            return try JSONObject.parseBody(body, limits: .response)
        } catch {
            throw .malformedAnswer(cause: error)
        }
    }

    static func extracting(
        _ name: String, from text: SharedSecret
    ) throws(AWSError) -> (secret: SharedSecret?, rest: [UInt8]) {
        do {
            return try text.withUnsafeBytes { try SecretMember.extract(name, from: $0) }
        } catch {
            throw .malformedAnswer(cause: error)
        }
    }

    /// An answer that is none of the service's, as of a proxy.
    private static func unknown(status: Int) -> AWSError {
        AWSError(code: "UnknownError", message: "The endpoint answered with status \(status).", status: status)
    }
}

extension AWSError {
    /// An answer that says it succeeded and cannot be read. Not repeated: the call may have had its effect.
    static func malformedAnswer(cause: (any Error)? = nil) -> AWSError {
        AWSError(code: "MalformedAnswer", message: "The endpoint's answer cannot be read.", status: 520, cause: cause)
    }

    /// The task that made the call was cancelled.
    package static var callCancelled: AWSError {
        AWSError(
            code: "RequestCancelled", message: "The call was cancelled.", status: 499, cause: CancellationError())
    }
}
