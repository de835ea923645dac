/// The private operation by which a session of a customer's role asks what it may do in a bucket of which no S3 decides
/// (target `ForecastleBuckets.DecideBucketAccess`, signing name `forecast`).
///
/// JSON: `{"Bucket", "Decisions":[{"Action":"s3:GetObject", "Key"}, …]}`. Whoever signs is asked about, and nobody else.
package struct BucketAccessRequest: Sendable, Equatable {
    package static let targetPrefix = "ForecastleBuckets"
    package static let operation = "DecideBucketAccess"
    package static let signingName = "forecast"
    package static let maximumDecisions = 100

    package enum Action: String, Sendable {
        case getObject = "s3:GetObject"
        case putObject = "s3:PutObject"
        case listBucket = "s3:ListBucket"
    }

    package struct Decision: Sendable, Hashable {
        package var action: Action
        /// The object's key; of a listing, the prefix.
        package var key: String

        package init(_ action: Action, _ key: String) {
            self.action = action
            self.key = key
        }

        // Keys are bytes: two that are written alike may be two objects.
        package static func == (one: Decision, other: Decision) -> Bool {
            one.action == other.action && one.key.utf8.elementsEqual(other.key.utf8)
        }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(action)
            for byte in key.utf8 { hasher.combine(byte) }
        }

        /// What S3 decides such a request on.
        package func resource(in bucket: String) -> String {
            action == .listBucket ? "arn:aws:s3:::\(bucket)" : "arn:aws:s3:::\(bucket)/\(key)"
        }

        /// Condition keys that the request itself brings.
        package var context: [String: [String]] { action == .listBucket ? ["s3:prefix": [key]] : [:] }
    }

    package var bucket: String
    package var decisions: [Decision]

    package init(bucket: String, decisions: [Decision]) {
        self.bucket = bucket
        self.decisions = decisions
    }
}

extension BucketAccessRequest {
    package var json: JSONObject {
        [
            "Bucket": .string(bucket),
            "Decisions": .array(decisions.map { ["Action": .string($0.action.rawValue), "Key": .string($0.key)] }),
        ]
    }

    package init(json: JSONObject) throws(AWSError) {
        bucket = try json.requiredString("Bucket")
        guard (3...63).contains(bucket.utf8.count) else { throw .validation("Bucket is not the name of a bucket.") }
        decisions = []
        for decision in try json.requiredObjects("Decisions", count: 1...Self.maximumDecisions) {
            guard let action = Action(rawValue: try decision.requiredString("Action")) else {
                throw .validation("The action is none that can be asked about.")
            }
            let key = try decision.requiredString("Key")
            guard key.utf8.count <= 1024 else { throw .validation("Key has more than 1024 bytes.") }
            decisions.append(Decision(action, key))
        }
    }
}

/// What is refused, in the order asked: nil where it is allowed, else what the caller is told.
///
/// JSON: `{"Denials":[null | "why", …]}`.
package struct BucketAccessResponse: Sendable, Equatable {
    package var denials: [String?]

    package init(denials: [String?]) { self.denials = denials }

    package var json: JSONObject { ["Denials": .array(denials.map { $0.map { .string($0) } ?? .null })] }

    package init(json: JSONObject) throws(AWSError) {
        denials = []
        for denial in try json.optionalArray("Denials") ?? [] {
            if case .null = denial {
                denials.append(nil)
            } else {
                denials.append(denial.stringValue ?? "denied")
            }
        }
    }
}
