import AWSProtocol
import AuditTrail
package import FoundationEssentials
import Postgres
import Secrets

extension KeyService {
    private static let rotatedPerPass = 100

    /// Replaces the material of keys whose rotation is due; a service calls it now and then. Answers how many were rotated.
    ///
    /// Several authorities may do so at once: each key is locked and looked at again. Keys that are disabled or wait for their
    /// deletion stay as they are until they are enabled. One key that cannot be rotated does not hold up the others.
    package func rotateDueKeys(now: Date) async throws -> Int {
        let due = try await pool.query(
            """
            SELECT key_id, account FROM keys WHERE state = 'Enabled' AND next_rotation_at <= \(now)
            ORDER BY next_rotation_at LIMIT \(Self.rotatedPerPass)
            """)
        var rotated = 0
        for row in due {
            let reference = KeyReference.keyID(try row.get("key_id"))
            let account: String = try row.get("account")
            do {
                rotated += try await rotateIfDue(reference, account: account, now: now) ? 1 : 0
            } catch let error as VaultError where error.code == .absent {
                // The key is of a restored database and has no material any more; nobody can use it, so nothing is lost.
                log("a key that is due for rotation has lost its shred secret", error)
            }
        }
        return rotated
    }

    private func rotateIfDue(_ reference: KeyReference, account: String, now: Date) async throws -> Bool {
        try await pool.retryingSerialization { connection in
            let found = try await KeyRows.find(reference, account: account, region: self.region, lock: .update, on: connection)
            guard let key = found, key.metadata.state == .enabled, let schedule = key.rotation, schedule.next <= now else {
                return false
            }
            let latest = try await MaterialRows.count(.automatic, of: key, on: connection).latest
            try await self.rotate(key, to: latest + 1, .automatic, at: now, on: connection)
            try await MaterialRows.setSchedule(schedule.following(now), of: key, on: connection)
            return true
        }
    }

    /// Draws, seals and stores the next material of a key that this transaction has locked, with the event that says so.
    func rotate(
        _ key: KeyRow, to version: Int, _ type: RotationType, at time: Date, on connection: PostgresConnection
    ) async throws {
        let id = randomBytes(CiphertextBlob.materialIDBytes)
        let material = SecretBytes.random(count: KeyMaterial.bytes)
        let sealed: [UInt8]
        do {
            sealed = try await vault.sealMaterial(material, id: id, version: version, of: key.arn)
        } catch let error as VaultError where error.code == .absent && type == .onDemand {
            throw KeyError(.invalidState, "\(key.arn) is unavailable.", cause: error)
        }
        try await MaterialRows.replaceCurrent(
            of: key, with: id, version: version, sealed: sealed, type: type, at: time, on: connection)
        try await trail.append(rotationRecord(key, to: id, type, at: time), on: connection)
    }

    /// `RotateKey`, as KMS writes it for either sort of rotation; the details are in `additionalEventData`.
    private func rotationRecord(_ key: KeyRow, to id: [UInt8], _ type: RotationType, at time: Date) -> CloudTrailRecord {
        var record = CloudTrailRecord(
            userIdentity: .awsService(invokedBy: "kms.amazonaws.com"), eventTime: time, eventSource: "kms.amazonaws.com",
            eventName: "RotateKey", awsRegion: region, sourceIPAddress: "kms.amazonaws.com", userAgent: "kms.amazonaws.com",
            requestID: UUID().uuidString.lowercased(), readOnly: false, recipientAccountID: key.account,
            additionalEventData: [
                "rotationType": .string(type.rawValue), "keyOrigin": .string(KeyMetadata.origin),
                "previousKeyMaterialId": .string(key.metadata.currentMaterialID), "currentKeyMaterialId": .string(Hex.encode(id)),
            ],
            resources: [.key(key.arn)])
        record.eventType = "AwsServiceEvent"
        return record
    }
}
