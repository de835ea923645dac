package import struct FoundationEssentials.Date

/// What LookupEvents asks for, checked.
///
/// Source: CloudTrail API reference, LookupEvents. At most one attribute; both ends of the time range are inclusive;
/// an account sees only what was delivered to it.
package struct EventLookup: Sendable, Equatable {
    package enum AttributeKey: String, Sendable, CaseIterable {
        case eventID = "EventId"
        case eventName = "EventName"
        case readOnly = "ReadOnly"
        case username = "Username"
        case resourceType = "ResourceType"
        case resourceName = "ResourceName"
        case eventSource = "EventSource"
        case accessKeyID = "AccessKeyId"
    }

    package struct Attribute: Sendable, Equatable {
        package var key: AttributeKey
        /// 1 to 2,000 characters, compared case-sensitively.
        package var value: String

        package init(key: AttributeKey, value: String) {
            self.key = key
            self.value = value
        }
    }

    package static let maximumResults = 50
    package static let maximumValueCharacters = 2000
    /// How far back CloudTrail looks.
    package static let windowSeconds = 90 * 86_400.0

    package let account: String
    package let attribute: Attribute?
    package let start: Date?
    package let end: Date?
    package let limit: Int
    let after: LookupToken.Position?

    /// - Parameters:
    ///   - attributes: as received; more than one is refused, as in CloudTrail.
    ///   - maxResults: 1 to 50; nil counts as 50.
    ///   - nextToken: from an answer to the same parameters.
    package init(
        account: String, attributes: [Attribute], start: Date?, end: Date?, maxResults: Int?, nextToken: String?, now: Date
    ) throws(AuditError) {
        guard attributes.count <= 1 else {
            throw AuditError(.invalidAttributes, "You can specify only one attribute in the lookup request.")
        }
        if let value = attributes.first?.value, value.isEmpty || value.count > Self.maximumValueCharacters {
            throw AuditError(.invalidAttributes, "AttributeValue must have 1 to \(Self.maximumValueCharacters) characters.")
        }
        if let start, let end, start > end {
            throw AuditError(.invalidTimeRange, "The start time must not be later than the end time.")
        }
        let oldest = now.addingTimeInterval(-Self.windowSeconds)
        if let end, end < oldest {
            throw AuditError(.invalidTimeRange, "The end time must lie within the last 90 days.")
        }
        if let start, start > now {
            throw AuditError(.invalidTimeRange, "The start time must not lie in the future.")
        }
        if let maxResults, !(1...Self.maximumResults).contains(maxResults) {
            throw AuditError(.invalidMaxResults, "MaxResults must be between 1 and \(Self.maximumResults).")
        }
        self.account = account
        attribute = attributes.first
        self.start = start
        self.end = end
        limit = maxResults ?? Self.maximumResults
        let digest = LookupToken.digest(account: account, attribute: attributes.first, start: start, end: end)
        if let nextToken {
            guard let token = LookupToken(text: nextToken), token.digest == digest else {
                throw AuditError(.invalidNextToken, "The token is malformed or belongs to other parameters.")
            }
            after = token.position
        } else {
            after = nil
        }
        self.digest = digest
        self.oldest = oldest
    }

    let digest: [UInt8]
    let oldest: Date
}

/// One event as LookupEvents gives it.
package struct LookedUpEvent: Sendable, Equatable {
    package var eventID: String
    package var eventName: String
    package var readOnly: Bool
    package var accessKeyID: String?
    package var eventTime: Date
    package var eventSource: String
    package var username: String?
    package var resources: [(type: String, name: String)]
    /// The whole record as JSON text.
    package var record: String

    package static func == (a: LookedUpEvent, b: LookedUpEvent) -> Bool {
        a.record == b.record
    }
}

package struct LookupPage: Sendable {
    package static let empty = LookupPage(events: [], nextToken: nil)

    package var events: [LookedUpEvent]
    package var nextToken: String?
}
