import AWSProtocol

/// The rules for names that IAM has; broken ones throw `invalidInput`.
enum NameRules {
    static let maximumPathCharacters = 512

    static func account(_ text: String) throws {
        guard ARN.isAccountID(text) else { throw AccountsError(.invalidInput, "An account id has 12 digits.") }
    }

    /// Users and roles have shorter names than groups.
    static func name(_ text: String, of kind: Identity.Kind) throws {
        try check(text, kind == .group ? 1...128 : 1...64, "A name")
    }

    static func deviceName(_ text: String) throws { try check(text, 1...128, "A device's name") }

    static func policyName(_ text: String) throws { try check(text, 1...128, "A policy's name") }

    static func path(_ text: String) throws {
        let isWhole = text == "/" || (text.hasPrefix("/") && text.hasSuffix("/") && !text.contains("//"))
        guard isWhole, text.utf8.count <= maximumPathCharacters, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw AccountsError(
                .invalidInput, "A path begins and ends with / and has at most \(maximumPathCharacters) characters.")
        }
    }

    /// `[\w+=,.@-]`, the alphabet of IAM's names, also of sessions.
    static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "_+=,.@-".utf8.contains(byte)
        }
    }

    private static func check(_ text: String, _ length: ClosedRange<Int>, _ what: String) throws {
        guard length.contains(text.utf8.count), text.utf8.allSatisfy(isNameCharacter) else {
            throw AccountsError(
                .invalidInput,
                "\(what) has \(length.lowerBound) to \(length.upperBound) letters, digits or characters of _+=,.@-")
        }
    }
}
