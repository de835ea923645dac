package import Secrets

package import struct FoundationEssentials.Date

/// One HTTP request as it came over the wire (or will go): signatures are checked over these bytes and handlers
/// read the same ones, so that no second parser can see something else.
package struct AWSRequest: Sendable {
    package var method: String
    /// As received, percent-encoded, without the query.
    package var path: String
    /// What stood after `?`, as received; empty when there was none.
    package var rawQuery: String
    /// Names and values in the order received, doubled ones included.
    package var headers: [(String, String)]
    package var body: [UInt8]
    /// A body that holds a secret, such as the plaintext of Encrypt; `body` is empty then.
    package var secretBody: (any ReadableSecret)?
    /// Textual IP address of the peer.
    package var sourceAddress: String
    package var receivedAt: Date
    /// Whether the request came over TLS (`aws:SecureTransport`).
    package var isSecureTransport: Bool
    /// The process of the installation whose certificate was verified on the connection.
    package var peer: ProcessIdentity?

    package init(
        method: String = "POST", path: String = "/", rawQuery: String = "", headers: [(String, String)] = [],
        body: [UInt8] = [], secretBody: (any ReadableSecret)? = nil, sourceAddress: String = "", receivedAt: Date,
        isSecureTransport: Bool = false, peer: ProcessIdentity? = nil
    ) {
        self.method = method
        self.path = path
        self.rawQuery = rawQuery
        self.headers = headers
        self.body = body
        self.secretBody = secretBody
        self.sourceAddress = sourceAddress
        self.receivedAt = receivedAt
        self.isSecureTransport = isSecureTransport
        self.peer = peer
    }

    /// The value of the first header of that name, any case.
    package func header(_ name: String) -> String? {
        headers.first { $0.0.isEqualIgnoringASCIICase(to: name) }?.1
    }

    /// Values of all headers of that name, in order.
    package func headerValues(_ name: String) -> [String] {
        headers.filter { $0.0.isEqualIgnoringASCIICase(to: name) }.map(\.1)
    }

    /// The operation that `X-Amz-Target` names, split at its last dot: `TrentService.Decrypt` gives
    /// (`TrentService`, `Decrypt`). Nil without that header or with two.
    package var target: (prefix: String, operation: String)? {
        let values = headerValues("x-amz-target")
        guard values.count == 1, let dot = values[0].lastIndex(of: ".") else { return nil }
        return (String(values[0][..<dot]), String(values[0][values[0].index(after: dot)...]))
    }
}

extension String {
    /// ASCII letters without regard to case, every other byte as it is.
    package func isEqualIgnoringASCIICase(to other: String) -> Bool {
        utf8.count == other.utf8.count && zip(utf8, other.utf8).allSatisfy { $0.asciiLowercased == $1.asciiLowercased }
    }

    /// ASCII letters in lower case, every other byte as it is.
    package var asciiLowercased: String {
        String(decoding: utf8.map(\.asciiLowercased), as: UTF8.self)
    }
}

extension UInt8 {
    var asciiLowercased: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}
