import AWSProtocol

/// One value of a condition, read once according to its operator.
enum ConditionValue: Sendable, Hashable {
    /// Texts and ARNs: compared after variables are filled in.
    case pattern(PolicyPattern)
    case number(Double)
    case bool(Bool)
    case bytes([UInt8])
    case network(IPNetwork)

    init(_ text: String, for base: ConditionOperator.Base, variables: Bool) throws(PolicyError) {
        switch base {
        case .null, .compare(.bool, _):
            guard let value = Self.bool(text) else { throw .malformed("A condition value must be true or false.") }
            self = .bool(value)
        case .compare(.numeric, _):
            guard let number = Self.number(text) else { throw .malformed("A condition value must be a number.") }
            self = .number(number)
        case .compare(.date, _):
            guard let seconds = PolicyDate.seconds(text) else {
                throw .malformed("A condition value must be an ISO 8601 date or seconds since 1970.")
            }
            self = .number(seconds)
        case .compare(.binary, _):
            guard let bytes = Base64.decode(text) else { throw .malformed("A condition value must be base64.") }
            self = .bytes(bytes)
        case .compare(.ip, _):
            guard let network = IPNetwork(text) else {
                throw .malformed("A condition value must be an IP address or a CIDR range.")
            }
            self = .network(network)
        case .compare(.stringEquals, _), .compare(.stringEqualsIgnoringCase, _), .compare(.stringLike, _),
            .compare(.arn, _):
            self = .pattern(try PolicyPattern(text, variables: variables))
        }
    }

    static func bool(_ text: String) -> Bool? {
        switch text.asciiLowercased {
        case "true": true
        case "false": false
        default: nil
        }
    }

    static func number(_ text: String) -> Double? {
        // Swift reads more as a number than a policy means: 0x10, inf.
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || ".+-eE".utf8.contains($0) }) else { return nil }
        guard let number = Double(text), number.isFinite else { return nil }
        return number
    }
}
