package import AWSProtocol

/// What a client writes down when a job of its was accepted; one JSON object a line: `{"arn": …, "time": …}`.
package struct AcceptedJob: Sendable, Hashable {
    package var arn: String
    package var time: String

    package init(arn: String, time: String) {
        self.arn = arn
        self.time = time
    }

    package var json: JSONValue { ["arn": .string(arn), "time": .string(time)] }

    package init(_ json: JSONValue) throws {
        guard let arn = json["arn"]?.stringValue, !arn.isEmpty else { throw ClientRecordError(rule: "needs the member arn") }
        self.init(arn: arn, time: json["time"]?.stringValue ?? "")
    }
}

/// What a client writes down when the API answered with an error: `{"operation": …, "code": …, "status": …}`.
package struct ClientError: Sendable, Hashable {
    package var operation: String
    package var code: String
    package var status: Int

    package init(operation: String, code: String, status: Int) {
        self.operation = operation
        self.code = code
        self.status = status
    }

    package var json: JSONValue { ["operation": .string(operation), "code": .string(code), "status": .int(Int64(status))] }

    package init(_ json: JSONValue) throws {
        guard let code = json["code"]?.stringValue else { throw ClientRecordError(rule: "needs the member code") }
        self.init(
            operation: json["operation"]?.stringValue ?? "", code: code, status: Int(json["status"]?.intValue ?? 0))
    }
}

/// A line of a client's file that says nothing that can be checked.
package struct ClientRecordError: Error, CustomStringConvertible {
    package var line: Int?
    package var rule: String

    package var description: String { (line.map { "line \($0) " } ?? "the line ") + rule }
}

/// The lines of such files.
package enum ClientRecords {
    package static func accepted(_ text: String) throws -> [AcceptedJob] { try lines(text, AcceptedJob.init) }
    package static func errors(_ text: String) throws -> [ClientError] { try lines(text, ClientError.init) }

    private static func lines<Record>(_ text: String, _ make: (JSONValue) throws -> Record) throws -> [Record] {
        try text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
            guard !line.allSatisfy(\.isWhitespace) else { return nil }
            do {
                return try make(JSONValue.parse(String(line)))
            } catch let error as ClientRecordError {
                throw ClientRecordError(line: index + 1, rule: error.rule)
            } catch {
                throw ClientRecordError(line: index + 1, rule: "is no JSON object")
            }
        }
    }
}
