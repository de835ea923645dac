import AWSProtocol
import Accounts
import AuthorityAPI
import FoundationEssentials
import Policies
import Postgres
import Secrets

/// Calls of IAM as tests make them.
extension AuthorityHouse {
    static func document(_ statements: String...) -> String {
        #"{"Version":"2012-10-17","Statement":[\#(statements.joined(separator: ","))]}"#
    }

    static func allow(_ action: String, on resource: String = "*", _ condition: String? = nil) -> String {
        #"{"Effect":"Allow","Action":"\#(action)","Resource":"\#(resource)"\#(condition.map { #","Condition":\#($0)"# } ?? "")}"#
    }

    static func deny(_ action: String) -> String { #"{"Effect":"Deny","Action":"\#(action)","Resource":"*"}"# }

    static func arn(_ resource: String) -> String { "arn:aws:iam::\(customer):\(resource)" }

    /// Makes a managed policy as the administrator and answers its ARN.
    @discardableResult
    func managedPolicy(_ name: String, _ statements: String...) async throws -> String {
        let document = #"{"Version":"2012-10-17","Statement":[\#(statements.joined(separator: ","))]}"#
        let answer = try await iam("CreatePolicy", ["PolicyName": name, "PolicyDocument": document], as: admin)
        guard let arn = answer["Arn"] else { throw AWSError(code: answer.code, message: answer.text) }
        return arn
    }

    /// A call of the administrator that must succeed.
    @discardableResult
    func manage(_ action: String, _ parameters: [String: String]) async throws -> Answer {
        let answer = try await iam(action, parameters, as: admin)
        guard answer.status == 200 else { throw AWSError(code: answer.code, message: answer.text, status: answer.status) }
        return answer
    }

    /// What the policies of whoever has these credentials say now.
    func mayDo(_ action: String, _ resource: String = "*", as credentials: AWSCredentials) async throws -> Decision {
        let principal = try await principal(credentials)
        let policies = try await pool.withConnection { try await accounts.policies(of: principal, on: $0) }
        let circumstances = RequestCircumstances(
            time: Date(), sourceIP: "198.51.100.7", isSecureTransport: true, region: Self.region)
        return PolicyEvaluator.decide(
            AuthorizationRequest(
                subject: principal.subject, action: action, resource: resource,
                context: principal.conditionContext(circumstances)),
            policies: policies)
    }

    func principal(_ credentials: AWSCredentials) async throws -> Principal {
        var request = AWSRequest(headers: [("Host", "127.0.0.1")], body: [], receivedAt: Date())
        try SigV4Signer(credentials: credentials, region: Self.region, service: "sts").sign(&request, at: Date())
        let authenticator = try await RequestAuthenticator.make(store: accounts, verifier: SigV4Verifier(region: Self.region))
        return try await authenticator.authenticate(SignedRequestClaim(parsing: request), service: "sts", now: Date())
    }
}

/// An authenticator app: what a device shows at a time.
struct Authenticator {
    let serial: String
    let seed: [UInt8]

    /// Makes a device for a user and enables it with the codes before `time`.
    static func enabled(for user: String, in house: AuthorityHouse, at time: Date) async throws -> Authenticator {
        let made = try await house.manage("CreateVirtualMFADevice", ["VirtualMFADeviceName": user])
        let device = Authenticator(
            serial: made["SerialNumber"] ?? "", seed: decode(made["Base32StringSeed"] ?? ""))
        let answer = try await house.iam(
            "EnableMFADevice",
            [
                "UserName": user, "SerialNumber": device.serial, "AuthenticationCode1": device.code(at: time, -2),
                "AuthenticationCode2": device.code(at: time, -1),
            ], as: house.admin, at: time)
        guard answer.status == 200 else { throw AWSError(code: answer.code, message: answer.text) }
        return device
    }

    func code(at time: Date, _ offset: Int64 = 0) -> String {
        seed.withUnsafeBytes { TOTP.code(seed: $0, step: TOTP.step(at: time) + offset) }
    }

    /// From the answer of CreateVirtualMFADevice: base64 of base32.
    private static func decode(_ text: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        var (bits, held, bytes): (Int, UInt32, [UInt8]) = (0, 0, [])
        for letter in Base64.decode(text) ?? [] {
            held = held << 5 | UInt32(alphabet.firstIndex(of: letter) ?? 0)
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: held >> UInt32(bits)))
            }
        }
        return bytes
    }
}
