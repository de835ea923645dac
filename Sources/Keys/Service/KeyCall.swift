import AWSProtocol
package import AuditTrail
import Synchronization

package import struct FoundationEssentials.Date
package import struct FoundationEssentials.UUID

/// One call of KMS: who calls, and the draft of its record in the trail.
///
/// The edge fills in what the request says; the service adds the key it found and what came out of it.
package final class KeyCall: Sendable {
    package let caller: KeyCaller
    package let operation: KeyOperation
    package let time: Date
    private let draft: Mutex<CloudTrailRecord>
    /// The keys that the call turned out to be about: one, of ReEncrypt two.
    private let keys = Mutex<[ARN]>([])
    private let refused = Mutex(false)

    package init(caller: KeyCaller, operation: KeyOperation, record: CloudTrailRecord) {
        self.caller = caller
        self.operation = operation
        time = record.eventTime
        draft = Mutex(record)
    }

    /// Forgets what a former attempt of the same transaction found.
    func restart() {
        keys.withLock { $0 = [] }
        draft.withLock {
            $0.resources = []
            $0.responseElements = nil
        }
    }

    /// A key that the call turned out to be about.
    func concerns(_ arn: ARN) {
        let all = keys.withLock { keys in
            if !keys.contains(arn) { keys.append(arn) }
            return keys
        }
        draft.withLock { $0.resources = all.map(CloudTrailRecord.Resource.key) }
    }

    /// The key that a change was made to: in the trail since December 2022, also of calls that answer nothing.
    func answers(_ arn: ARN) {
        draft.withLock { $0.responseElements = ["keyId": .string(arn.description)] }
    }

    /// The keys that were found so far.
    var keyARNs: [ARN] { keys.withLock { $0 } }

    func note(_ change: (inout CloudTrailRecord) -> Void) {
        draft.withLock { change(&$0) }
    }

    /// Whether records of the refusal of this call were made already.
    package var isRefused: Bool { refused.withLock { $0 } }

    /// The records of the call: the caller's own, and the owner's copy where a key lives in another account.
    ///
    /// A call by the service for itself is the owner's business alone. A refused call on a foreign key stays in the
    /// caller's trail: else anybody could fill somebody else's.
    func records(failure: KeyError? = nil) -> [CloudTrailRecord] {
        var record = draft.withLock { $0 }
        let owners = keys.withLock { keys in
            keys.reduce(into: [String]()) { owners, key in
                if !owners.contains(key.account) { owners.append(key.account) }
            }
        }
        if let failure {
            refused.withLock { $0 = true }
            record.errorCode = failure.code.trailName
            record.errorMessage = failure.message.isEmpty ? nil : failure.message
            record.responseElements = nil
        }
        guard let first = owners.first else { return [record] }
        if record.userIdentity.kind == .awsService {
            record.recipientAccountID = first
            return Self.copies([record], to: owners)
        }
        guard let failure, failure.code != .dryRun else {
            let foreign = owners.first { $0 != record.recipientAccountID }
            return Self.copies(record.delivered(alsoTo: foreign ?? record.recipientAccountID), to: owners)
        }
        // Nor does the caller's trail tell that a foreign key exists which is not open to the caller.
        if failure.code == .accessDenied { record.resources.removeAll { $0.accountID != record.recipientAccountID } }
        return [record]
    }

    /// Adds a copy for each account that has none yet: the keys of ReEncrypt may have two foreign owners.
    private static func copies(_ records: [CloudTrailRecord], to owners: [String]) -> [CloudTrailRecord] {
        owners.reduce(into: records) { records, owner in
            guard let last = records.last, !records.contains(where: { $0.recipientAccountID == owner }) else { return }
            var copy = last
            copy.eventID = UUID()
            copy.recipientAccountID = owner
            // A record that went to one account alone has nothing that its copies could share.
            let shared = last.sharedEventID ?? UUID()
            copy.sharedEventID = shared
            records = records.map { record in
                var record = record
                record.sharedEventID = shared
                return record
            }
            records.append(copy)
        }
    }
}
