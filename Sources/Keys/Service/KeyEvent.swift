package import AWSProtocol

/// A change after which somebody may have lost a right to use a key.
package struct KeyEvent: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case grantRetired, grantRevoked, keyDisabled, keyEnabled, deletionScheduled, deletionCancelled, keyDeleted, policyChanged
    }

    package var kind: Kind
    package var key: ARN
    package var grantID: String?

    package init(kind: Kind, key: ARN, grantID: String? = nil) {
        self.kind = kind
        self.key = key
        self.grantID = grantID
    }
}

/// Hears of changes after they are committed, so that workers can renew their key leases at once.
///
/// Losing an announcement is allowed: leases end without it too, only later.
package protocol KeyEventListener: Sendable {
    func keyChanged(_ event: KeyEvent) async
}
