import AWSProtocol
import FoundationEssentials
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct CloudTrailServiceTests {
    @Test func eventsAreLookedUpAsTheModelHasThem() async throws {
        try await KMSHouse.with { house in
            let key = try await house.createKey()
            let answer = try await house.trail([
                "LookupAttributes": [["AttributeKey": "EventName", "AttributeValue": "CreateKey"]]
            ])
            let event = try #require(answer.json["Events"]?.arrayValue?.first)
            #expect(
                event.objectValue?.keys == [
                    "EventId", "EventName", "ReadOnly", "AccessKeyId", "EventTime", "EventSource", "Username", "Resources",
                    "CloudTrailEvent",
                ])
            #expect(event["ReadOnly"] == "false" && event["Username"] == "admin")
            let record = try JSONValue.parse(Array((event["CloudTrailEvent"]?.stringValue ?? "").utf8))
            #expect(record["eventID"] == event["EventId"])
            #expect(event["Resources"]?.arrayValue?.first?["ResourceName"]?.stringValue == key)
            #expect(event["EventTime"]?.intValue != nil)
        }
    }

    @Test func rulesOfTheRequestHaveTheirOwnErrors() async throws {
        try await KMSHouse.with { house in
            let attribute: JSONValue = ["AttributeKey": "EventName", "AttributeValue": "CreateKey"]
            let rows: [(JSONObject, String)] = [
                (["LookupAttributes": [attribute, attribute]], "InvalidLookupAttributesException"),
                (["LookupAttributes": [["AttributeKey": "Colour", "AttributeValue": "x"]]], "InvalidLookupAttributesException"),
                (["StartTime": 2_000_000_000, "EndTime": 1_900_000_000], "InvalidTimeRangeException"),
                (["MaxResults": 51], "InvalidMaxResultsException"),
                (["NextToken": "x"], "InvalidNextTokenException"),
                (["EventCategory": "management"], "InvalidEventCategoryException"),
            ]
            for (body, code) in rows {
                let answer = try await house.trail(body)
                #expect(answer.code == code, "\(body.keys)")
            }
            let other = try await house.trail([:], operation: "StopLogging")
            #expect(other.code == "UnknownOperationException")
        }
    }

    @Test func lookingUpNeedsAPolicyAndIsItselfAnEvent() async throws {
        try await KMSHouse.with { house in
            let nobody = try await house.user("nobody")
            let refused = try await house.trail([:], as: nobody)
            #expect(refused.code == "AccessDeniedException")
            let reader = try await house.user("reader", allowing: "cloudtrail:LookupEvents")
            let answered = try await house.trail(["MaxResults": 1], as: reader)
            #expect(answered.status == 200)
            let records = try await house.records("LookupEvents")
            #expect(records.map { $0["errorCode"]?.stringValue } == ["AccessDenied", nil])
            #expect(records.last?["requestParameters"] == ["maxResults": 1])
        }
    }

    @Test func pagesGoOnWithTheirTokenAndTheSameParameters() async throws {
        try await KMSHouse.with { house in
            for _ in 0..<3 { _ = try await house.createKey() }
            let attributes: JSONValue = [["AttributeKey": "EventName", "AttributeValue": "CreateKey"]]
            var seen: [String] = []
            var token: String?
            repeat {
                var body: JSONObject = ["LookupAttributes": attributes, "MaxResults": 2]
                if let token { body["NextToken"] = .string(token) }
                let page = try await house.trail(body)
                seen += page.json["Events"]?.arrayValue?.compactMap { $0["EventId"]?.stringValue } ?? []
                token = page["NextToken"]
            } while token != nil
            #expect(seen.count == 3 && Set(seen).count == 3)
        }
    }
}
