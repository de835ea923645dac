package import AWSProtocol

/// Who makes a request, as far as policies look at it.
package struct PolicySubject: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// The account itself.
        case root
        case user
        /// A session of a role. `role` is the role's ARN, `roleID` its unique id (`AROA…`).
        case roleSession(role: ARN, roleID: String)
        /// A service under its own name, such as `forecast.amazonaws.com`: only trust policies see one.
        case service(String)
    }

    package var kind: Kind
    /// The account that the subject belongs to; a service has none of the customers'.
    package var account: String
    /// `AIDA…` of a user, `AROA…:name` of a session, the account number of root, the name of a service.
    package var uniqueID: String
    /// The ARN as error messages show it, the service's name for a service.
    package var name: String

    package init(kind: Kind, account: String, uniqueID: String, name: String) {
        self.kind = kind
        self.account = account
        self.uniqueID = uniqueID
        self.name = name
    }

    /// The unique id of the user or of the session's role: what stays with nobody else, whatever the names. Nil for root
    /// and services.
    package var identityID: String? {
        switch kind {
        case .user: uniqueID
        case .roleSession(_, let roleID): roleID
        case .root, .service: nil
        }
    }

    package static func service(_ name: String) -> PolicySubject {
        PolicySubject(kind: .service(name), account: "", uniqueID: name, name: name)
    }
}
