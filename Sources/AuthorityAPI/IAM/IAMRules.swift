import AWSProtocol
import Accounts

/// What members of IAM's model may hold.
enum IAMRules {
    private static let namePattern = #"[\w+=,.@-]+"#

    static func name(_ length: ClosedRange<Int>) -> StringRule {
        StringRule(length: length, pattern: namePattern) { $0.utf8.allSatisfy(isNameByte) }
    }

    /// Of new users and roles; existing ones may be named with up to 128 characters and are then not found.
    static let entityName = name(1...64)
    static let longName = name(1...128)
    static let document = StringRule(length: 1...131_072)
    static let arn = StringRule(length: 20...2048)
    static let description = StringRule(length: 0...1000)
    static let marker = StringRule(length: 1...512)
    static let tagKey = StringRule(length: 1...128)
    static let serial = StringRule(length: 9...256)
    static let accessKeyID = StringRule(length: 16...128, pattern: #"[\w]+"#) {
        $0.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "_") }
    }
    static let path = StringRule(length: 1...512, pattern: #"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)"#) {
        $0.hasPrefix("/") && $0.hasSuffix("/") && !$0.contains("//") && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
    static let pathPrefix = StringRule(length: 1...512, pattern: #"\u002F[\u0021-\u007F]*"#) {
        $0.hasPrefix("/") && $0.utf8.allSatisfy { (0x21...0x7F).contains($0) }
    }
    static let alias = StringRule(length: 3...63, pattern: "^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$") {
        !$0.hasPrefix("-") && !$0.hasSuffix("-") && !$0.contains("--")
            && $0.utf8.allSatisfy {
                $0 == UInt8(ascii: "-") || isLetterOrDigit($0) && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
            }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool { isLetterOrDigit(byte) || "_+=,.@-".utf8.contains(byte) }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
