/// A part of the authority's data whose changes are counted together.
///
/// The database's triggers count (`migrations/authority`, `security_versions`); the text is the one they write.
package struct Scope: Sendable, Hashable {
    package let name: String

    package init(name: String) { self.name = name }

    /// A key with its policy, state, material, aliases and grants.
    package static func key(_ id: String) -> Scope { Scope(name: "key:\(id)") }

    /// An account's users, access keys, roles, policies and sessions.
    package static func account(_ id: String) -> Scope { Scope(name: accountPrefix + id) }

    /// The account, where the scope is one.
    package var account: String? {
        name.hasPrefix(Self.accountPrefix) ? String(name.dropFirst(Self.accountPrefix.count)) : nil
    }

    private static let accountPrefix = "account:"

    /// What belongs to no single key or account. Whoever relies on anything relies on it too.
    package static let everything = Scope(name: "*")
}
