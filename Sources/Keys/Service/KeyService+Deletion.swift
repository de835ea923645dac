package import AWSProtocol
import AuditTrail
package import FoundationEssentials
import Logging
import Policies
import Postgres

package struct ScheduledDeletion: Sendable {
    package let key: ARN
    package let at: Date
    package let windowDays: Int
}

extension KeyService {
    package static let defaultDeletionWindowDays = 30
    package static let deletionWindowDays = 7...30
    private static let destroyedPerPass = 100

    /// Takes the key out of use now and destroys it after the window.
    package func scheduleKeyDeletion(
        _ call: KeyCall, key reference: KeyReference, windowDays: Int
    ) async throws(KeyError) -> ScheduledDeletion {
        let scheduled = try await change(call) { connection in
            guard Self.deletionWindowDays.contains(windowDays) else {
                throw KeyError(.validation, "PendingWindowInDays must be between 7 and 30.")
            }
            var input = DecisionInput(lock: .update)
            input.context.set("kms:ScheduleKeyDeletionPendingWindowInDays", String(windowDays))
            let key = try await self.decide(call, reference, input, on: connection).key
            let at = call.time.addingTimeInterval(Double(windowDays) * 86_400)
            try await KeyRows.changeOne(
                """
                UPDATE keys SET state = 'PendingDeletion', deletion_at = \(at), deletion_window = \(Int32(windowDays))
                WHERE key_id = \(key.keyID) AND state IN ('Enabled', 'Disabled')
                """, on: connection)
            call.note {
                $0.responseElements = [
                    "keyId": .string(key.arn.description), "deletionDate": .string(AWSTimestamp.extended(at)),
                    "keyState": .string(KeyState.pendingDeletion.rawValue), "pendingWindowInDays": .int(Int64(windowDays)),
                ]
            }
            return ScheduledDeletion(key: key.arn, at: at, windowDays: windowDays)
        }
        await announce(KeyEvent(kind: .deletionScheduled, key: scheduled.key))
        return scheduled
    }

    /// The key is Disabled afterwards.
    package func cancelKeyDeletion(_ call: KeyCall, key reference: KeyReference) async throws(KeyError) -> ARN {
        let arn = try await change(call) { connection in
            let key = try await self.decide(call, reference, DecisionInput(lock: .update), on: connection).key
            try await KeyRows.setState(.disabled, of: key, on: connection)
            call.note { $0.responseElements = ["keyId": .string(key.arn.description)] }
            return key.arn
        }
        await announce(KeyEvent(kind: .deletionCancelled, key: arn))
        return arn
    }

    /// Destroys the keys whose window has passed; a service calls it now and then. Answers how many were destroyed.
    ///
    /// Two steps, so that a crash between them loses nothing: the row becomes a tombstone, without grants, aliases and material,
    /// together with its record; then the shred secret goes, and the tombstone says so. What was left half done is found again by
    /// the tombstone without that mark; so is a key whose shred secret not every replica of the vault has confirmed to be gone.
    package func destroyDueKeys(now: Date) async throws -> Int {
        let due = try await pool.query(
            """
            SELECT key_id FROM keys
            WHERE shredded_at IS NULL AND deletion_at IS NOT NULL AND deletion_at <= \(now)
            ORDER BY deletion_at LIMIT \(Self.destroyedPerPass)
            """)
        var destroyed = 0
        for row in due {
            let keyID: String = try row.get("key_id")
            // A key that cannot be destroyed now must not hold the others up.
            do {
                if let arn = try await bury(keyID, now: now) { await announce(KeyEvent(kind: .keyDeleted, key: arn)) }
                try await vault.destroyShredSecret(named: keyID)
            } catch {
                logger.error("a key that is due could not be destroyed yet", metadata: ["key": "\(keyID)", "cause": "\(error)"])
                continue
            }
            destroyed += try await pool.execute(
                "UPDATE keys SET shredded_at = \(now) WHERE key_id = \(keyID) AND state = 'Deleted' AND shredded_at IS NULL")
        }
        return destroyed
    }

    /// Turns a due key into a tombstone; nil where it is one already or its deletion was cancelled meanwhile.
    private func bury(_ keyID: String, now: Date) async throws -> ARN? {
        try await pool.retryingSerialization { connection in
            let rows = try await connection.query(
                """
                UPDATE keys SET state = 'Deleted'
                WHERE key_id = \(keyID) AND state = 'PendingDeletion' AND deletion_at <= \(now) RETURNING arn
                """)
            guard let text: String = try rows.first?.get("arn"), let arn = ARN(text) else {
                let tombstone = try await connection.query("SELECT 1 FROM keys WHERE key_id = \(keyID) AND state = 'Deleted'")
                guard !tombstone.isEmpty else { throw KeyError(.invalidState, "The key's deletion was cancelled.") }
                return nil
            }
            _ = try await connection.pipeline([
                "DELETE FROM key_grants WHERE key_id = \(keyID)", "DELETE FROM key_aliases WHERE key_id = \(keyID)",
                "DELETE FROM key_materials WHERE key_id = \(keyID)",
            ])
            var record = CloudTrailRecord(
                userIdentity: .awsService(invokedBy: "kms.amazonaws.com"), eventTime: now, eventSource: "kms.amazonaws.com",
                eventName: "DeleteKey", awsRegion: self.region, sourceIPAddress: "kms.amazonaws.com",
                userAgent: "kms.amazonaws.com", requestID: UUID().uuidString.lowercased(), readOnly: false,
                recipientAccountID: arn.account, resources: [.key(arn)])
            record.eventType = "AwsServiceEvent"
            try await self.trail.append(record, on: connection)
            return arn
        }
    }
}
