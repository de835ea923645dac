import AWSProtocol

/// One request of a load: what is sent, before it is signed.
struct LoadCall: Sendable {
    enum Kind: Sendable {
        /// JSON 1.1: the operation with its prefix.
        case json(target: String)
        /// Query.
        case form
        /// GET, unsigned.
        case get(path: String)
    }

    let kind: Kind
    /// The signing name.
    var service = ""
    var body: [UInt8] = []

    static func kms(_ operation: String, _ members: JSONObject) -> LoadCall {
        LoadCall(kind: .json(target: "TrentService.\(operation)"), service: "kms", body: members.serialized())
    }

    static func forecast(_ operation: String, _ members: JSONObject) -> LoadCall {
        LoadCall(kind: .json(target: "AmazonForecast.\(operation)"), service: "forecast", body: members.serialized())
    }

    static func forecastQuery(_ operation: String, _ members: JSONObject) -> LoadCall {
        LoadCall(kind: .json(target: "AmazonForecastRuntime.\(operation)"), service: "forecast", body: members.serialized())
    }

    static func sts(_ parameters: [(String, String)]) -> LoadCall {
        let pairs = parameters.map { PercentEncoding.encode($0.0) + "=" + PercentEncoding.encode($0.1) }
        return LoadCall(kind: .form, service: "sts", body: Array(pairs.joined(separator: "&").utf8))
    }
}

/// What came back.
struct LoadAnswer: Sendable {
    let status: Int
    let body: [UInt8]

    func member(_ name: String) throws -> String {
        guard let text = try? JSONValue.parse(body)[name]?.stringValue else {
            throw CommandFailure("An answer has no \(name): \(shown)", MessageExit.inputOutput)
        }
        return text
    }

    /// For an error's text; answers with data keys are never shown, because only failures are.
    var shown: String { String(decoding: body.prefix(300), as: UTF8.self) }
}

/// What one connection of a load asks, one call after the other.
protocol LoadScript: Sendable {
    /// - Parameter answer: to the call before; nil at first.
    mutating func next(after answer: LoadAnswer?) throws -> LoadCall
}

/// The same call again and again.
struct RepeatedCall: LoadScript {
    let call: LoadCall

    func next(after answer: LoadAnswer?) -> LoadCall { call }
}

/// A grant is made, then retired, then made again.
struct GrantAndRetire: LoadScript {
    let key: String
    let grantee: String
    private var made: String?

    init(key: String, grantee: String) {
        self.key = key
        self.grantee = grantee
    }

    mutating func next(after answer: LoadAnswer?) throws -> LoadCall {
        if made == nil, let answer {
            let id = try answer.member("GrantId")
            made = id
            return .kms("RetireGrant", ["KeyId": .string(key), "GrantId": .string(id)])
        }
        made = nil
        return .kms(
            "CreateGrant",
            [
                "KeyId": .string(key), "GranteePrincipal": .string(grantee), "RetiringPrincipal": .string(grantee),
                "Operations": ["GenerateDataKey", "Decrypt"],
                "Constraints": ["EncryptionContextSubset": .object(AuthorityLoad.context)],
            ])
    }
}
