import AWSProtocol

/// Rules of the Forecast API's scalars (API model 2018-06-26).
extension StringRule {
    static let name = StringRule(length: 1...63, pattern: "^[a-zA-Z][a-zA-Z0-9_]*") { text in
        guard let first = text.utf8.first, first.isASCIILetter else { return false }
        return text.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "_") }
    }

    /// ARN of a resource of this API. Roles are checked by `roleARN`: the published pattern would refuse every role.
    static let forecastARN = StringRule(length: 1...256, pattern: #"arn:([a-z\d-]+):forecast:.*:.*:.+"#) { text in
        ARN(text)?.service == "forecast"
    }

    static let roleARN = StringRule(length: 1...256, pattern: #"arn:aws:iam::\d{12}:role/.+"#) { text in
        guard let arn = ARN(text) else { return false }
        return arn.service == "iam" && arn.resourceType == "role" && !arn.baseName.isEmpty && ARN.isAccountID(arn.account)
    }

    static let kmsKeyARN = StringRule(length: 1...256, pattern: "arn:aws:kms:.*:key/.*") { text in
        guard let arn = ARN(text) else { return false }
        return arn.service == "kms" && arn.resourceType == "key" && !arn.resourceName.isEmpty && ARN.isAccountID(arn.account)
    }

    static let s3Path = StringRule(length: 7...4096, pattern: "^s3://[a-z0-9].+$") { text in
        guard text.hasPrefix("s3://"), let first = text.utf8.dropFirst(5).first else { return false }
        return first.isASCIIDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first)
    }

    static let tagKey = StringRule(length: 1...128)
    static let tagValue = StringRule(length: 0...256)
    static let nextToken = StringRule(length: 1...3000)
}

extension UInt8 {
    var isASCIILetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
    var isASCIIDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
