package import FoundationEssentials

/// Where a grant is.
///
/// `intended → active → retiring → retired`; `left` where it could not be retired until the deadline, from where the
/// sweeper goes on.
package enum GrantState: String, Sendable, CaseIterable {
    /// Its row stands, and CreateGrant may or may not have taken effect.
    case intended
    case active
    case retiring
    case left
    case retired
}

/// What a grant is to be made with. Two intents of one name must be equal.
package struct GrantIntent: Sendable, Hashable {
    /// Which artifact it is for: `[a-zA-Z0-9:_-]`, unique in the job or process.
    package let artifact: String
    package let keyARN: String
    /// The customer's role; nil for the account's default key, whose grants the service makes itself.
    package let roleARN: String?
    package let grantee: String
    package let operations: [String]
    /// The constraint EncryptionContextSubset.
    package let encryptionContext: [String: String]

    package init(
        artifact: String, keyARN: String, roleARN: String?, grantee: String, operations: [String],
        encryptionContext: [String: String]
    ) {
        self.artifact = artifact
        self.keyARN = keyARN
        self.roleARN = roleARN
        self.grantee = grantee
        self.operations = operations
        self.encryptionContext = encryptionContext
    }
}

/// A grant as it stood when its row was read.
package struct GrantRecord: Sendable, Hashable {
    /// `job/<job>/<artifact>` or `read/<process>/<artifact>`: the Name that CreateGrant carries.
    package let name: String
    package let job: JobID?
    package let owner: String
    package let intent: GrantIntent
    package let state: GrantState
    package let grantID: String?
    /// Not a secret; makes a fresh grant effective at once.
    package let token: String?
    package let expiresAt: Date?
    package let lastError: String?
    package let intendedAt: Date
    package let recordedAt: Date?
    package let retiredAt: Date?
}

/// The names of grants, by which one without a record is found again.
package enum GrantName {
    /// KMS takes at most 256 characters of `[a-zA-Z0-9:/_-]`.
    package static let charactersMax = 256

    package static func job(_ job: JobID, artifact: String) -> String { "job/\(job)/\(artifact)" }
    package static func read(process: String, artifact: String) -> String { "read/\(process)/\(artifact)" }

    package enum Owner: Sendable, Hashable {
        case job(JobID)
        case process(String)
    }

    /// Who owns the grant of this name; nil for names that are not of this system.
    package static func owner(of name: String) -> Owner? {
        let parts = name.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[1].isEmpty, !parts[2].isEmpty else { return nil }
        switch parts[0] {
        case "job": return JobID(String(parts[1])).map(Owner.job)
        case "read": return .process(String(parts[1]))
        default: return nil
        }
    }

    static func validate(_ name: String) throws {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard allowed, name.utf8.count <= charactersMax, owner(of: name) != nil else {
            throw JobError(.invalid, "The name of a grant is not one that KMS takes.")
        }
    }
}
