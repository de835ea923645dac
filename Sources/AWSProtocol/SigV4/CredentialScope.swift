/// What a signature is good for: one day, one region, one service. Text: `20261123/us-west-2/kms/aws4_request`.
package struct CredentialScope: Sendable, Hashable, CustomStringConvertible {
    /// `YYYYMMDD`.
    package let date: String
    package let region: String
    package let service: String

    package init(date: String, region: String, service: String) {
        self.date = date
        self.region = region
        self.service = service
    }

    package var description: String { "\(date)/\(region)/\(service)/\(SigV4.terminator)" }
}

/// An access key id and a scope, as `Credential=` has them: `AKIA…/20261123/us-west-2/kms/aws4_request`.
struct SigV4Credential: Sendable, Hashable, CustomStringConvertible {
    static let maximumAccessKeyIDBytes = 128
    static let maximumScopePartBytes = 64

    let accessKeyID: String
    let scope: CredentialScope

    init(accessKeyID: String, scope: CredentialScope) {
        self.accessKeyID = accessKeyID
        self.scope = scope
    }

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[4] == SigV4.terminator,
            (1...Self.maximumAccessKeyIDBytes).contains(parts[0].utf8.count), parts[0].utf8.allSatisfy(\.isWordByte),
            parts[1].utf8.count == 8, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            parts[2...3].allSatisfy({
                (1...Self.maximumScopePartBytes).contains($0.utf8.count)
                    && $0.utf8.allSatisfy { $0.isWordByte || $0 == UInt8(ascii: "-") }
            })
        else { return nil }
        accessKeyID = String(parts[0])
        scope = CredentialScope(date: String(parts[1]), region: String(parts[2]), service: String(parts[3]))
    }

    var description: String { "\(accessKeyID)/\(scope)" }
}

extension UInt8 {
    /// `[A-Za-z0-9_]`.
    fileprivate var isWordByte: Bool {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
