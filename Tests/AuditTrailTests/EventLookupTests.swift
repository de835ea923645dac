import AWSProtocol
import AuditTrail
import FoundationEssentials
import Postgres
import PostgresTesting
import Testing

private let now = sampleTime.addingTimeInterval(1000)

private func lookup(
    _ attributes: [EventLookup.Attribute] = [], start: Date? = nil, end: Date? = nil, max: Int? = nil, token: String? = nil,
    account: String = sampleAccount
) throws -> EventLookup {
    try EventLookup(
        account: account, attributes: attributes, start: start, end: end, maxResults: max, nextToken: token, now: now)
}

@Suite struct EventLookupRuleTests {
    private func code(_ body: () throws -> EventLookup) -> AuditError.Code? {
        do {
            _ = try body()
            return nil
        } catch { return (error as? AuditError)?.code }
    }

    @Test(arguments: [(0, false), (1, true), (50, true), (51, false)])
    func maxResultsHasItsBounds(value: Int, accepted: Bool) {
        #expect(code { try lookup(max: value) } == (accepted ? nil : .invalidMaxResults))
    }

    @Test func twoAttributesAreRefused() {
        let attribute = EventLookup.Attribute(key: .eventName, value: "Decrypt")
        #expect(code { try lookup([attribute, attribute]) } == .invalidAttributes)
        #expect(code { try lookup([.init(key: .eventName, value: "")]) } == .invalidAttributes)
    }

    @Test func aRangeMustRunForwardsAndReachTheWindow() {
        #expect(code { try lookup(start: now, end: now.addingTimeInterval(-1)) } == .invalidTimeRange)
        #expect(code { try lookup(start: now, end: now) } == nil)
        #expect(code { try lookup(end: now.addingTimeInterval(-91 * 86_400)) } == .invalidTimeRange)
    }

    @Test(arguments: ["", "AAAA", "not base64", String(repeating: "A", count: 44)])
    func aTokenThatIsNoneIsRefused(text: String) {
        #expect(code { try lookup(token: text) } == .invalidNextToken)
    }
}

@Suite(.enabled(if: TestDatabase.isAvailable)) struct EventLookupTests {
    private func withEvents(_ body: (AuditTrail) async throws -> Void) async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            let trail = try await AuditTrail.open(pool: pool, logger: TestDatabase.logger)
            for number in 0..<5 {
                try await trail.record(sampleRecord("Decrypt", at: sampleTime.addingTimeInterval(Double(number) + 0.4)))
            }
            try await trail.record(sampleRecord("CreateGrant", at: sampleTime.addingTimeInterval(10), readOnly: false))
            try await trail.record(
                sampleRecord(
                    "Decrypt", at: sampleTime, account: "444455556666",
                    identity: .awsService(invokedBy: "forecast.amazonaws.com")))
            try await body(trail)
        }
    }

    @Test func eventsComeNewestFirstAndOnlyOnesOwn() async throws {
        try await withEvents { trail in
            let page = try await trail.lookup(lookup())
            #expect(page.events.map(\.eventName) == ["CreateGrant"] + Array(repeating: "Decrypt", count: 5))
            #expect(page.events.map(\.eventTime) == page.events.map(\.eventTime).sorted(by: >))
            #expect(page.nextToken == nil)
            #expect(try await trail.lookup(lookup(account: "444455556666")).events.map(\.username) == ["forecast.amazonaws.com"])
        }
    }

    @Test func pagesMeetWithoutGapOrRepetition() async throws {
        try await withEvents { trail in
            var seen: [String] = []
            var token: String?
            repeat {
                let page = try await trail.lookup(lookup(max: 2, token: token))
                seen += page.events.map(\.eventID)
                token = page.nextToken
            } while token != nil
            #expect(seen == (try await trail.lookup(lookup())).events.map(\.eventID))
            #expect(Set(seen).count == 6)
        }
    }

    @Test func aTokenIsBoundToItsParameters() async throws {
        try await withEvents { trail in
            let token = try await trail.lookup(lookup(max: 2)).nextToken
            #expect(token != nil)
            #expect(throws: AuditError.self) { try lookup([.init(key: .eventName, value: "Decrypt")], max: 2, token: token) }
            #expect(throws: AuditError.self) { try lookup(max: 2, token: token, account: "444455556666") }
            #expect(throws: Never.self) { try lookup(max: 3, token: token) }
        }
    }

    @Test(arguments: [
        (EventLookup.AttributeKey.eventName, "Decrypt", 5), (.eventName, "decrypt", 0), (.readOnly, "false", 1),
        (.username, "Sampleuser01", 6), (.resourceType, "AWS::KMS::Key", 6), (.resourceName, sampleKey.description, 6),
        (.resourceName, "1234abcd-12ab-34cd-56ef-123456SAMPLE", 6), (.resourceName, "1234", 0),
        (.eventSource, "kms.amazonaws.com", 6), (.accessKeyID, "AKIAIOSFODNN7EXAMPLE3", 6), (.eventID, "x", 0),
    ])
    func everyAttributeIsSearched(key: EventLookup.AttributeKey, value: String, found: Int) async throws {
        try await withEvents { trail in
            let page = try await trail.lookup(lookup([.init(key: key, value: value)]))
            #expect(page.events.count == found)
        }
    }

    @Test func bothEndsOfTheRangeAreInclusiveInWholeSeconds() async throws {
        try await withEvents { trail in
            let page = try await trail.lookup(
                lookup(start: sampleTime.addingTimeInterval(1), end: sampleTime.addingTimeInterval(3)))
            #expect(page.events.count == 3)
        }
    }

    @Test func anEventsTextIsJSONWithItsOwnID() async throws {
        try await withEvents { trail in
            let event = try await trail.lookup(lookup(max: 1)).events[0]
            #expect(try JSONValue.parse(Array(event.record.utf8))["eventID"]?.stringValue == event.eventID)
            #expect(try await trail.lookup(lookup([.init(key: .eventID, value: event.eventID)])).events.count == 1)
        }
    }
}
