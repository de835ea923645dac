import AWSProtocol
import Foundation

/// A key's life as the audit trail tells it: what was done with it, by whom, under which grant.
struct DemoTrail: Sendable {
    struct Line: Sendable {
        var time: String
        var event: String
        var who: String
        var grant: String
        /// Equal lines in a row are one with a count.
        var count = 1

        func isLike(_ other: Line) -> Bool { event == other.event && who == other.who && grant == other.grant }
    }

    let client: DemoClient

    /// What names the key, and the sessions of the role that reaches it.
    func lines(of access: DemoCustomer.Access) async throws -> [Line] {
        let sessions = try await records(naming: access.role).filter { $0["eventName"]?.stringValue == "AssumeRole" }
        // A session comes before what is done in it in the same second.
        let records = (sessions + (try await records(naming: access.key))).enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
        var lines: [Line] = []
        for (_, record) in records {
            let line = Self.line(record)
            if let last = lines.last, last.isLike(line) {
                lines[lines.count - 1].count += 1
            } else {
                lines.append(line)
            }
        }
        return lines
    }

    /// Oldest first.
    private func records(naming resource: String) async throws -> [JSONObject] {
        var events: [JSONObject] = []
        var token: String?
        repeat {
            var request: JSONObject = [
                "LookupAttributes": [["AttributeKey": "ResourceName", "AttributeValue": .string(resource)]]
            ]
            request.append("NextToken", ifPresent: token.map { .string($0) })
            let page = try await client.call(.cloudtrail, "LookupEvents", request)
            for event in page["Events"]?.arrayValue ?? [] {
                if let text = event["CloudTrailEvent"]?.stringValue, case .object(let record) = try JSONValue.parse(text) {
                    events.append(record)
                }
            }
            token = page["NextToken"]?.stringValue
        } while token != nil
        return events.reversed()
    }

    private static func line(_ record: JSONObject) -> Line {
        let identity = record["userIdentity"]
        let who = identity?["arn"]?.stringValue.flatMap { ARN($0)?.resource } ?? identity?["invokedBy"]?.stringValue ?? ""
        let grant = record["responseElements"]?["grantId"]?.stringValue ?? record["additionalEventData"]?["grantId"]?.stringValue
        var event = record["eventName"]?.stringValue ?? ""
        switch record["errorCode"]?.stringValue {
        case "DryRunOperationException": event += " (DryRun)"
        case let code?: event += " (\(code))"
        case nil: break
        }
        let time = record["eventTime"]?.stringValue ?? ""
        return Line(
            time: String(time.dropFirst(11).dropLast()), event: event, who: who, grant: grant.map { String($0.prefix(8)) } ?? "")
    }
}

extension JSONObject {
    fileprivate var time: String { self["eventTime"]?.stringValue ?? "" }
}
