/// Which process of the installation somebody is, as the URI in its certificate says: `spiffe://forecastle/api`.
///
/// The installation's own certificate authority signs the certificates, so the trust domain need not tell installations apart.
package struct ProcessIdentity: Sendable, Hashable, CustomStringConvertible {
    package static let trustDomain = "forecastle"
    /// A label of DNS, so that the role can be the name of a file and of a host too.
    package static let maximumRoleBytes = 63

    package static let api = ProcessIdentity(trusted: "api")
    package static let worker = ProcessIdentity(trusted: "worker")
    package static let authority = ProcessIdentity(trusted: "authority")

    package let role: String

    /// Nil for what can't be a role: small letters, digits and hyphens, not at either end.
    package init?(role: String) {
        let bytes = role.utf8
        guard (1...Self.maximumRoleBytes).contains(bytes.count), bytes.first != UInt8(ascii: "-"),
            bytes.last != UInt8(ascii: "-"),
            bytes.allSatisfy({ byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            })
        else { return nil }
        self.role = role
    }

    /// Nil for any other URI.
    package init?(uri: String) {
        let prefix = Self.prefix
        guard uri.hasPrefix(prefix) else { return nil }
        self.init(role: String(uri.dropFirst(prefix.count)))
    }

    private init(trusted role: String) { self.role = role }

    package var uri: String { Self.prefix + role }
    package var description: String { uri }

    private static let prefix = "spiffe://\(trustDomain)/"
}
