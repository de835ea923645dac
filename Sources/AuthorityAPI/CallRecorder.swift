import AWSProtocol
package import Accounts
package import AuditTrail

import struct FoundationEssentials.Date

/// Sees to it that no call of somebody known is answered without a record.
///
/// Services record their calls themselves, with what they know of them. What they never saw (a body that is no JSON, an
/// operation that does not exist) or forgot is recorded here; a success without a record is not given away.
package struct CallRecorder: Sendable {
    /// What is known of a call before its service looks at it.
    struct Call: Sendable {
        let principal: Principal
        let signingName: String
        /// As the client named it.
        let operation: String
        let circumstances: RequestCircumstances
        let userAgent: String
        let requestID: String
    }

    private let trail: AuditTrail
    let identity: ServiceIdentity

    package init(trail: AuditTrail, identity: ServiceIdentity) {
        self.trail = trail
        self.identity = identity
    }

    func recording(
        _ call: Call, _ body: () async throws(AWSError) -> AWSReply
    ) async throws(AWSError) -> AWSReply {
        let mark = RecordedMark()
        let outcome: Result<AWSReply, AWSError> = await RecordedMark.$current.withValue(mark) {
            do throws(AWSError) { return .success(try await body()) } catch { return .failure(error) }
        }
        if mark.isSet { return try outcome.get() }
        switch outcome {
        case .success:
            throw .internalFailure(cause: Unrecorded())
        case .failure(let error):
            guard error.status < 500, !error.isThrottling, !Self.signatureCodes.contains(error.code) else { throw error }
            do { try await trail.record(record(of: call, error)) } catch { throw AWSError(failure: error) }
            throw error
        }
    }

    private struct Unrecorded: Error, CustomStringConvertible {
        var description: String { "The operation left no record in the trail." }
    }

    /// Refusals of a signature that a caller forwards: nobody is known to have made it, and anybody could fill the trail.
    private static let signatureCodes: Set<String> = [
        "MissingAuthenticationTokenException", "IncompleteSignatureException", "InvalidSignatureException",
        "UnrecognizedClientException", "ExpiredTokenException",
    ]

    private func record(of call: Call, _ error: AWSError) -> CloudTrailRecord {
        let source = call.principal.trailSource(
            sourceIP: call.circumstances.sourceIP, userAgent: call.userAgent, identity)
        let isPrivate = call.signingName == AuthorizeRequest.signingName
        return CloudTrailRecord(
            userIdentity: call.principal.trailIdentity(identity), eventTime: call.circumstances.time,
            eventSource: isPrivate ? "authority.forecastle" : call.signingName + ".amazonaws.com",
            eventName: Self.eventName(call.operation), awsRegion: identity.region, sourceIPAddress: source.sourceIPAddress,
            userAgent: source.userAgent, requestID: call.requestID, readOnly: Self.isReadOnly(call.operation),
            recipientAccountID: call.principal.account,
            errorCode: error.code == "AccessDeniedException" ? "AccessDenied" : error.code, errorMessage: error.message)
    }

    /// A name that no operation can have is not repeated.
    static func eventName(_ operation: String) -> String {
        let isName =
            (1...128).contains(operation.utf8.count)
            && operation.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
        return isName ? operation : "UnknownOperation"
    }

    private static let readingVerbs = [
        "Describe", "Get", "List", "Lookup", "Decrypt", "Encrypt", "ReEncrypt", "Generate", "AssumeRole",
    ]

    private static func isReadOnly(_ operation: String) -> Bool { readingVerbs.contains { operation.hasPrefix($0) } }
}
