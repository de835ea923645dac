package import AWSProtocol

/// The four forms in which a caller names a key.
///
/// Source: KMS API reference, `KeyId`. Key id and alias name mean the caller's own account and this region.
package enum KeyReference: Sendable, Hashable {
    case keyID(String)
    case keyARN(ARN)
    case aliasName(String)
    case aliasARN(ARN)

    package static let maximumCharacters = 2048

    package init(_ text: String) throws(KeyError) {
        guard !text.isEmpty, text.utf8.count <= Self.maximumCharacters else {
            throw KeyError(.validation, "KeyId must have 1 to \(Self.maximumCharacters) characters.")
        }
        if text.hasPrefix("arn:") {
            guard let arn = ARN(text), arn.service == "kms", !arn.region.isEmpty, ARN.isAccountID(arn.account) else {
                throw KeyError(.invalidArn, "Invalid arn \(text.prefix(256))")
            }
            switch arn.resourceType {
            case "key" where Self.isKeyID(arn.resourceName): self = .keyARN(arn)
            case "alias" where !arn.resourceName.isEmpty: self = .aliasARN(arn)
            default: throw KeyError(.invalidArn, "Invalid arn \(text.prefix(256))")
            }
        } else if text.hasPrefix("alias/") {
            self = .aliasName(text)
        } else {
            guard Self.isKeyID(text) else { throw .invalidKeyID(text) }
            self = .keyID(text)
        }
    }

    /// Letters, digits and hyphens: whatever else the id of a key may not be, it is a safe name of a file.
    static func isKeyID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
            }
    }

    package var isAlias: Bool {
        switch self {
        case .aliasName, .aliasARN: true
        case .keyID, .keyARN: false
        }
    }
}
