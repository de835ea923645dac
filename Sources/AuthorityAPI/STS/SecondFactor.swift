import AWSProtocol
import Accounts

/// A code of an MFA device as STS takes it: `SerialNumber` and `TokenCode`, both or none.
struct SecondFactor: Sendable {
    let serial: ARN
    let code: String

    init?(_ parameters: QueryParameters) throws(AWSError) {
        let serial = try parameters.optional("SerialNumber", StringRule(length: 9...256))
        let code = try parameters.optional("TokenCode", Self.code)
        guard serial != nil || code != nil else { return nil }
        guard let serial, let code else {
            throw .validation("SerialNumber and TokenCode are given together or not at all.")
        }
        // A device that is none is a wrong code like others.
        self.serial = ARN(serial) ?? ARN(service: "iam", region: "", account: "", resource: "mfa/none")
        self.code = code
    }

    static let code = StringRule(length: TOTP.digits...TOTP.digits, pattern: #"[\d]*"#) {
        $0.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
