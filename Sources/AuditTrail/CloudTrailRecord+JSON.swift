package import AWSProtocol
package import FoundationEssentials

extension CloudTrailRecord {
    // Bounds of the user guide, "CloudTrail record contents", in bytes of UTF-8.
    package static let maximumUserAgentBytes = 1024
    package static let maximumErrorBytes = 1024
    package static let maximumParametersBytes = 100 * 1024
    package static let maximumAdditionalDataBytes = 28 * 1024
    /// Of the whole record.
    package static let maximumBytes = 256 * 1024
    /// To read any record that was written: a request as deep as requests may be lies two levels down.
    package static let limits = JSONLimits(depth: 64, entries: maximumBytes, bytes: 2 * maximumBytes)

    /// The record as the trail keeps it.
    package var text: String {
        // Most records as a whole are smaller than the smallest bound of a member: no need to measure each.
        var text = JSONValue.object(json(isBounded: false)).serializedString
        if text.utf8.count > Self.maximumAdditionalDataBytes { text = JSONValue.object(json).serializedString }
        guard text.utf8.count > Self.maximumBytes else { return text }
        var rest = self
        rest.requestParameters = requestParameters.map { _ in Self.omission }
        rest.responseElements = responseElements.map { _ in Self.omission }
        rest.additionalEventData = additionalEventData.map { _ in Self.omission }
        return JSONValue.object(rest.json).serializedString
    }

    /// The record as JSON, members in the documented order, sizes bounded.
    package var json: JSONObject { json(isBounded: true) }

    private func json(isBounded: Bool) -> JSONObject {
        let bounded = { (object: JSONObject?, maximumBytes: Int) -> JSONValue in
            isBounded ? Self.bounded(object, maximumBytes) : object.map { .object($0) } ?? .null
        }
        var object = JSONObject()
        object["eventVersion"] = .string(Self.eventVersion)
        object["userIdentity"] = .object(userIdentity.json)
        object["eventTime"] = .string(Self.timestamp(eventTime))
        object["eventSource"] = .string(eventSource)
        object["eventName"] = .string(eventName)
        object["awsRegion"] = .string(awsRegion)
        object["sourceIPAddress"] = .string(sourceIPAddress)
        object["userAgent"] = .string(userAgent.cut(toBytes: Self.maximumUserAgentBytes))
        if let errorCode { object["errorCode"] = .string(errorCode.cut(toBytes: Self.maximumErrorBytes)) }
        if let errorMessage { object["errorMessage"] = .string(errorMessage.cut(toBytes: Self.maximumErrorBytes)) }
        object["requestParameters"] = bounded(requestParameters, Self.maximumParametersBytes)
        object["responseElements"] = bounded(responseElements, Self.maximumParametersBytes)
        if additionalEventData != nil {
            object["additionalEventData"] = bounded(additionalEventData, Self.maximumAdditionalDataBytes)
        }
        object["requestID"] = .string(requestID)
        object["eventID"] = .string(eventIDText)
        object["readOnly"] = .bool(readOnly)
        object["resources"] = .array(
            resources.map { resource in
                var entry = JSONObject()
                entry["accountId"] = .string(resource.accountID)
                entry["type"] = .string(resource.type)
                entry["ARN"] = .string(resource.arn)
                return .object(entry)
            })
        object["eventType"] = .string(eventType)
        object["managementEvent"] = .bool(managementEvent)
        object["recipientAccountId"] = .string(recipientAccountID)
        if let sharedEventID { object["sharedEventID"] = .string(sharedEventID.uuidString.lowercased()) }
        object["eventCategory"] = .string(eventCategory)
        if let tlsDetails {
            var details = JSONObject()
            details["tlsVersion"] = .string(tlsDetails.tlsVersion)
            details["cipherSuite"] = .string(tlsDetails.cipherSuite)
            details["clientProvidedHostHeader"] = .string(tlsDetails.clientProvidedHostHeader)
            object["tlsDetails"] = .object(details)
        }
        return object
    }

    package var eventIDText: String { eventID.uuidString.lowercased() }

    /// `2022-10-05T21:16:23Z`: UTC, whole seconds, fractions dropped.
    package static func timestamp(_ date: Date) -> String {
        AWSTimestamp.extended(date)
    }

    /// A member that would break the bound is replaced whole: half a structure would misinform.
    private static func bounded(_ object: JSONObject?, _ maximumBytes: Int) -> JSONValue {
        guard let object else { return .null }
        let value = JSONValue.object(object)
        guard value.serialized().count > maximumBytes else { return value }
        return .object(omission)
    }

    private static let omission: JSONObject = ["omitted": true, "reason": "event size exceeded"]
}

extension Date {
    /// The instant without its fraction of a second, rounded down.
    package var wholeSeconds: Date {
        Date(timeIntervalSince1970: timeIntervalSince1970.rounded(.down))
    }
}

extension String {
    /// The longest prefix of whole characters that fits `maximumBytes` of UTF-8.
    func cut(toBytes maximumBytes: Int) -> String {
        guard utf8.count > maximumBytes else { return self }
        var bytes = 0
        var end = startIndex
        for index in indices {
            bytes += String(self[index]).utf8.count
            if bytes > maximumBytes { break }
            end = self.index(after: index)
        }
        return String(self[..<end])
    }
}
