import AWSProtocol
import Crypto

/// Where the next page of a listing begins, bound to the listing and its parameters.
///
/// Base64 of: version 1 (1 byte), the first 16 bytes of the parameters' SHA-256, UTF-8 of the last key shown.
package enum ListMarker {
    package static let maximumCharacters = 1024
    private static let digestBytes = 16

    package static func text(after last: String, parameters: [String]) -> String {
        Base64.encode([1] + digest(parameters) + Array(last.utf8))
    }

    /// The key to go on after; the empty string where there is no marker yet.
    package static func read(_ text: String?, parameters: [String]) throws(KeyError) -> String {
        guard let text else { return "" }
        guard text.utf8.count <= maximumCharacters, let bytes = Base64.decode(text), bytes.count > 1 + digestBytes, bytes[0] == 1,
            Array(bytes[1...digestBytes]) == digest(parameters),
            let last = String(validating: bytes[(1 + digestBytes)...], as: UTF8.self), !last.contains("\0")
        else { throw .invalidMarker }
        return last
    }

    private static func digest(_ parameters: [String]) -> [UInt8] {
        var hash = SHA256()
        for parameter in parameters {
            withUnsafeBytes(of: UInt64(parameter.utf8.count).bigEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: Array(parameter.utf8))
        }
        return Array(hash.finalize().prefix(digestBytes))
    }
}

/// A page of a listing with the marker of the next, nil on the last.
package struct ListPage<Item: Sendable>: Sendable {
    package var items: [Item]
    package var nextMarker: String?

    /// - Parameter found: one more than `limit` where there is a next page.
    init(found: [Item], limit: Int, parameters: [String], key: (Item) -> String) {
        items = Array(found.prefix(limit))
        if found.count > limit, let last = items.last {
            nextMarker = ListMarker.text(after: key(last), parameters: parameters)
        }
    }
}
