/// Ways to take a right away in the middle of jobs, and what each promises.
enum WithdrawalKind: String, CaseIterable, Sendable {
    case revokeGrant = "RevokeGrant"
    case disableKey = "DisableKey"
    case scheduleKeyDeletion = "ScheduleKeyDeletion"
    case denyInKeyPolicy = "PutKeyPolicy with a Deny"
    case removeTrust = "role's trust removed"
    case deleteRole = "role deleted"
    case deleteAccessKey = "access key deleted"
    case endSession = "access key of a session deleted"

    /// What the design says of when it takes effect.
    enum Effect: String, Sendable {
        /// Next key use, and what runs by its key lease: bound in milliseconds where it is announced.
        case keyUse
        /// Next AssumeRole or CreateGrant; a grant that exists stays valid.
        case nextSession
        /// Next request of the caller.
        case caller
    }

    var effect: Effect {
        switch self {
        case .revokeGrant, .disableKey, .scheduleKeyDeletion, .denyInKeyPolicy: .keyUse
        case .removeTrust, .deleteRole: .nextSession
        case .deleteAccessKey, .endSession: .caller
        }
    }

    /// The event in the trail.
    var eventName: String {
        switch self {
        case .revokeGrant, .disableKey, .scheduleKeyDeletion: rawValue
        case .denyInKeyPolicy: "PutKeyPolicy"
        case .removeTrust: "UpdateAssumeRolePolicy"
        case .deleteRole: "DeleteRole"
        case .deleteAccessKey, .endSession: "DeleteAccessKey"
        }
    }

    /// Often enough for a 99th percentile of what has a bound; the others are judged by yes or no.
    static let deck: [WithdrawalKind] = [
        .revokeGrant, .revokeGrant, .disableKey, .disableKey, .scheduleKeyDeletion, .scheduleKeyDeletion, .denyInKeyPolicy,
        .denyInKeyPolicy, .removeTrust, .deleteRole, .deleteAccessKey, .endSession,
    ]
}
