import AWSProtocol
package import AuditTrail
import Synchronization

package import struct FoundationEssentials.Date

/// One call of KMS: who calls, and the draft of its record in the trail.
///
/// The edge fills in what the request says; the service adds the key it found and what came out of it.
package final class KeyCall: Sendable {
    package let caller: KeyCaller
    package let operation: KeyOperation
    package let time: Date
    private let draft: Mutex<CloudTrailRecord>
    private let key = Mutex<ARN?>(nil)

    package init(caller: KeyCaller, operation: KeyOperation, record: CloudTrailRecord) {
        self.caller = caller
        self.operation = operation
        time = record.eventTime
        draft = Mutex(record)
    }

    /// The key that the call turned out to be about.
    func concerns(_ arn: ARN) {
        key.withLock { $0 = arn }
        draft.withLock { $0.resources = [.key(arn)] }
    }

    /// The key, once it is found.
    var keyARN: ARN? { key.withLock { $0 } }

    func note(_ change: (inout CloudTrailRecord) -> Void) {
        draft.withLock { change(&$0) }
    }

    /// The records of the call: the caller's own, and the owner's copy where the key lives in another account.
    ///
    /// A call by the service for itself is the owner's business alone. A refused call on a foreign key stays in the
    /// caller's trail: else anybody could fill somebody else's.
    func records(failure: KeyError? = nil) -> [CloudTrailRecord] {
        var record = draft.withLock { $0 }
        let owner = key.withLock { $0?.account }
        if let failure {
            record.errorCode = failure.code.trailName
            record.errorMessage = failure.message.isEmpty ? nil : failure.message
            record.responseElements = nil
        }
        guard let owner else { return [record] }
        if record.userIdentity.kind == .awsService {
            record.recipientAccountID = owner
            return [record]
        }
        guard let failure, failure.code != .dryRun else { return record.delivered(alsoTo: owner) }
        // Nor does the caller's trail tell that a foreign key exists which is not open to the caller.
        if failure.code == .accessDenied, owner != record.recipientAccountID { record.resources = [] }
        return [record]
    }
}
