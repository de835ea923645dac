package import AWSProtocol
import AuditTrail
import Policies
import Postgres

extension KeyService {
    /// Has the key's material replaced every so many days, beginning with one period from now.
    package func enableKeyRotation(
        _ call: KeyCall, key reference: KeyReference, periodDays: Int = RotationSchedule.defaultPeriodDays
    ) async throws(KeyError) {
        try await change(call) { connection in
            guard RotationSchedule.periodDays.contains(periodDays) else {
                throw KeyError(.validation, "RotationPeriodInDays must be between 90 and 2560.")
            }
            var input = DecisionInput(lock: .update)
            input.context.set("kms:RotationPeriodInDays", String(periodDays))
            let key = try await self.decide(call, reference, input, on: connection).key
            let schedule = RotationSchedule.enabled(key.rotation, periodDays: periodDays, now: call.time)
            if schedule != key.rotation { try await MaterialRows.setSchedule(schedule, of: key, on: connection) }
            call.answers(key.arn)
        }
    }

    package func disableKeyRotation(_ call: KeyCall, key reference: KeyReference) async throws(KeyError) {
        try await change(call) { connection in
            let key = try await self.decide(call, reference, DecisionInput(lock: .update), on: connection).key
            if key.rotation != nil { try await MaterialRows.setSchedule(nil, of: key, on: connection) }
            call.answers(key.arn)
        }
    }

    /// A key that waits for its deletion is not rotated and says so; its schedule comes back when the deletion is cancelled.
    package func keyRotationStatus(
        _ call: KeyCall, key reference: KeyReference
    ) async throws(KeyError) -> KeyRotationStatus {
        try await read(call) { connection in
            let key = try await self.decide(call, reference, on: connection).key
            return KeyRotationStatus(
                key: key.arn, schedule: key.metadata.state == .pendingDeletion ? nil : key.rotation)
        }
    }

    /// Replaces the key's material now; its schedule stays as it is. What was sealed before still opens.
    package func rotateKeyOnDemand(_ call: KeyCall, key reference: KeyReference) async throws(KeyError) -> ARN {
        try await change(call) { connection in
            let key = try await self.decide(call, reference, DecisionInput(lock: .update), on: connection).key
            let limit = self.limits.rotationsOnDemandPerKey
            let count = try await MaterialRows.count(.onDemand, of: key, on: connection)
            guard count.rotations < limit else {
                throw KeyError(.limitExceeded, "The key was rotated on demand \(limit) times, which is the most there may be.")
            }
            try await self.rotate(key, to: count.latest + 1, .onDemand, at: call.time, on: connection)
            call.answers(key.arn)
            return key.arn
        }
    }

    /// The rotations of a key, or all its materials, the oldest first.
    package func listKeyRotations(
        _ call: KeyCall, key reference: KeyReference, includesFirst: Bool, limit: Int, marker: String?
    ) async throws(KeyError) -> ListPage<KeyRotation> {
        try await read(call) { connection in
            let key = try await self.decide(call, reference, on: connection).key
            let parameters = ["ListKeyRotations", key.keyID, String(includesFirst)]
            let text = try ListMarker.read(marker, parameters: parameters)
            guard let after = text.isEmpty ? 0 : Int(text), (0..<Int(Int32.max)).contains(after) else {
                throw KeyError.invalidMarker
            }
            let found = try await MaterialRows.list(
                of: key, includesFirst: includesFirst, after: after, limit: limit + 1, on: connection)
            return ListPage(found: found, limit: limit, parameters: parameters) { String($0.version) }
        }
    }
}
