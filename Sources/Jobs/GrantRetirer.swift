/// A grant that must go.
package struct GrantToRetire: Sendable {
    package let name: String
    package let keyARN: String
    package let grantID: String
    package let token: String?
    /// The role whose session is tried first. Nil for default keys, for grants that were found by name only, and where
    /// the job's specification does not verify: then the retiring principal alone acts, and nothing that somebody may
    /// have written into a row is assumed.
    package let roleARN: String?
    /// Whose grant it is; nil for reading grants. Calls with the role's session carry its source address and user agent.
    package let job: JobSpecification?

    package init(
        name: String, keyARN: String, grantID: String, token: String?, roleARN: String?, job: JobSpecification?
    ) {
        self.name = name
        self.keyARN = keyARN
        self.grantID = grantID
        self.token = token
        self.roleARN = roleARN
        self.job = job
    }
}

package enum RetireOutcome: Sendable, Hashable {
    case retired
    /// Gone already: the answer of an earlier retiring was lost, or it was revoked. Both are what was wanted.
    case notFound
    case denied(String)
    case unreachable(String)
}

/// Retires grants at KMS. The executable supplies it: with the role's session first, and on a denial, or where role
/// or trust is gone, at once by the retiring principal. Each call has its own deadline.
package protocol GrantRetirer: Sendable {
    func retire(_ grant: GrantToRetire) async -> RetireOutcome
}

/// A grant as KMS lists it.
package struct ListedGrant: Sendable, Hashable {
    package let name: String
    package let grantID: String
    package let keyARN: String

    package init(name: String, grantID: String, keyARN: String) {
        self.name = name
        self.grantID = grantID
        self.keyARN = keyARN
    }
}

/// Pages through ListRetirableGrants of the retiring principal, so that grants without a record are found by Name.
package protocol GrantLister: Sendable {
    /// - Parameter marker: nil for the first page.
    /// - Returns: the page, and the marker of the next one or nil.
    func retirableGrants(after marker: String?) async throws -> (grants: [ListedGrant], next: String?)
}

/// Removes objects from the artifact store. Removing one that is not there succeeds.
package protocol ObjectRemover: Sendable {
    func remove(_ name: String) async throws
}
