import AWSProtocol
import Accounts
import AuditTrail

/// Records of IAM's calls. Members are taken from the request by the operation's list of names; codes of MFA devices are not.
enum IAMTrail {
    private static let secrets: Set<String> = ["AuthenticationCode1", "AuthenticationCode2"]
    /// Bytes of all of them, as CloudTrail bounds them.
    static let maximumBytes = 102_400

    static func record(
        of operation: IAMOperation, _ request: AuthenticatedRequest, identity: ServiceIdentity
    ) -> CloudTrailRecord {
        let source = request.principal.trailSource(sourceIP: request.sourceIP, userAgent: request.userAgent, identity)
        let parameters = parameters(operation.parameters, request.parameters)
        return CloudTrailRecord(
            userIdentity: request.principal.trailIdentity(identity), eventTime: request.eventTime,
            eventSource: "iam.amazonaws.com", eventName: operation.name, awsRegion: identity.region,
            sourceIPAddress: source.sourceIPAddress, userAgent: source.userAgent, requestID: request.requestID,
            readOnly: operation.effect == .read, recipientAccountID: request.principal.account,
            requestParameters: parameters.isEmpty ? nil : parameters)
    }

    /// The record of a change that was carried out, or refused with something to keep.
    static func completed(_ record: CloudTrailRecord, with answer: IAMAnswer) -> CloudTrailRecord {
        if let refusal = answer.refusal { return refused(record, refusal) }
        var record = record
        record.responseElements = answer.fields.isEmpty ? nil : answer.fields.trail
        return record
    }

    static func refused(_ record: CloudTrailRecord, _ error: AWSError) -> CloudTrailRecord {
        var record = record
        record.errorCode = error.inQueryForm.code
        record.errorMessage = error.message
        return record
    }

    private static func parameters(_ names: [String], _ parameters: QueryParameters) -> JSONObject {
        var object = JSONObject()
        for name in names where !secrets.contains(name) {
            object.append(name.camelCased, ifPresent: value(name, parameters))
        }
        let bytes = object.serialized().count
        return bytes <= maximumBytes ? object : ["omitted": true, "originalSize": .int(Int64(bytes))]
    }

    /// A text, a list of texts, or a list of structures of texts.
    private static func value(_ name: String, _ parameters: QueryParameters) -> JSONValue? {
        if let text = parameters[name] { return .string(text) }
        if let list = try? parameters.list(name), !list.isEmpty { return .strings(list) }
        guard let structures = try? parameters.structures(name), !structures.isEmpty else { return nil }
        return .array(
            structures.map { structure in
                var object = JSONObject()
                for member in structure.names { object[member.camelCased] = .optional(structure[member]) }
                return .object(object)
            })
    }
}
