package import AWSProtocol
package import Postgres
import Secrets

package import struct FoundationEssentials.Date

/// Two codes that a device shows one after the other.
package struct MFACodePair: Sendable {
    let first: String
    let second: String

    package init(first: String, second: String) {
        self.first = first
        self.second = second
    }
}

extension AccountsStore {
    /// Whether a code is the present one of a device of that user. It is used up with that, or counted as a wrong one.
    ///
    /// In a transaction of its own: what the caller does with the answer may be refused or fail, and the attempt counts all the
    /// same. One answer for a device that is absent, another's, or not to be asked for a while.
    package func takeCode(_ code: String, of serial: ARN, userID: String, at now: Date) async throws -> Bool {
        try await pool.retryingSerialization { connection in
            guard let device = try await self.device(serial, on: connection),
                let row = try await self.lockCodes(device, of: userID, on: connection)
            else { return false }
            return try await self.check(row, of: device, on: connection) { check, codeOf in
                check.accept(code, at: now, codeOf: codeOf)
            }
        }
    }

    /// Makes a device the second factor of a user who has shown two consecutive codes of it.
    ///
    /// - Returns: false for wrong codes; the transaction must be committed even so, that they count.
    package func enable(
        _ device: MFADeviceEntity, for user: Identity, codes: MFACodePair, at now: Date, on connection: PostgresConnection
    ) async throws -> Bool {
        try await lock(user, on: connection)
        let others = try await connection.query("SELECT 1 FROM mfa_devices WHERE user_id = \(user.id)").count
        guard others < Self.maximumMFADevicesPerUser else {
            throw AccountsError(
                .limitExceeded, "The user has \(Self.maximumMFADevicesPerUser) MFA devices, which is the most it may have.")
        }
        guard let row = try await lockCodes(device, of: nil, on: connection) else {
            throw AccountsError(.entityAlreadyExists, "MFADevice is already in use.")
        }
        let isRight = try await check(row, of: device, on: connection) { check, codeOf in
            check.accept(codes.first, codes.second, at: now, resyncing: false, codeOf: codeOf)
        }
        guard isRight else { return false }
        let changed = try await connection.execute(
            """
            UPDATE mfa_devices SET user_id = \(user.id), enabled_at = date_trunc('second', clock_timestamp())
            WHERE device_id = \(device.deviceID) AND user_id IS NULL
            """)
        guard changed == 1 else { throw AccountsError(.entityAlreadyExists, "MFADevice is already in use.") }
        return true
    }

    /// Learns how far a device's clock is off. As `enable` for wrong codes.
    package func resync(
        _ device: MFADeviceEntity, of user: Identity, codes: MFACodePair, at now: Date, on connection: PostgresConnection
    ) async throws -> Bool {
        guard let row = try await lockCodes(device, of: user.id, on: connection) else { throw Self.foreignDevice(user) }
        return try await check(row, of: device, on: connection) { check, codeOf in
            check.accept(codes.first, codes.second, at: now, resyncing: true, codeOf: codeOf)
        }
    }

    /// The device's row, held until the transaction ends, where it is that user's, or nobody's for nil.
    private func lockCodes(
        _ device: MFADeviceEntity, of userID: String?, on connection: PostgresConnection
    ) async throws -> PostgresRow? {
        try await connection.query(
            """
            SELECT sealed_seed, last_step, drift_steps, failures, failed_at FROM mfa_devices
            WHERE device_id = \(device.deviceID) AND user_id IS NOT DISTINCT FROM \(userID)::text FOR UPDATE
            """
        ).first
    }

    private func check(
        _ row: PostgresRow, of device: MFADeviceEntity, on connection: PostgresConnection,
        _ accept: (inout MFACodeCheck, (Int64) -> String) -> Bool
    ) async throws -> Bool {
        var check = MFACodeCheck(
            lastStep: try row.get("last_step"), driftSteps: Int64(try row.get("drift_steps", as: Int32.self)),
            failures: Int(try row.get("failures", as: Int32.self)), failedAt: try row.get("failed_at"))
        let seed = try await sealer.open(try row.get("sealed_seed"), label: Self.deviceLabel(device.deviceID))
        defer { seed.wipe() }
        let isRight = try seed.withUnsafeBytes { bytes in
            accept(&check) { TOTP.code(seed: bytes, step: $0) }
        }
        let changed = try await connection.execute(
            """
            UPDATE mfa_devices
            SET last_step = \(check.lastStep), drift_steps = \(check.driftSteps), failures = \(check.failures),
                failed_at = \(check.failedAt)
            WHERE device_id = \(device.deviceID)
            """)
        guard changed == 1 else { throw Self.missingDevice(device.arn) }
        return isRight
    }
}
