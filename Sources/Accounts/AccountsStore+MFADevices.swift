package import AWSProtocol
package import Postgres
import Secrets

import struct FoundationEssentials.UUID

extension AccountsStore {
    /// MFA devices of one user, as IAM's quota; and of an account, which has as many as users.
    package static let maximumMFADevicesPerUser = 8
    package static let maximumMFADevices = 5000

    /// A new seed, sealed before the transaction. Whoever is given it wipes it.
    package func prepareMFADevice() async throws -> PreparedMFADevice {
        let id = UUID()
        let seed = SharedSecret(SecretBytes.random(count: TOTP.seedBytes))
        return PreparedMFADevice(deviceID: id, seed: seed, sealed: try await sealer.seal(seed, label: Self.deviceLabel(id)))
    }

    package func insert(
        _ prepared: PreparedMFADevice, name: String, path: String, tags: IdentityTags, account: String,
        on connection: PostgresConnection
    ) async throws -> MFADeviceEntity {
        try NameRules.deviceName(name)
        try NameRules.path(path)
        try await checkQuota(Self.maximumMFADevices, of: "mfa_devices", account: account, on: connection)
        try await connection.execute(
            """
            INSERT INTO mfa_devices (device_id, account, path, name, sealed_seed, tags)
            VALUES (\(prepared.deviceID), \(account), \(path), \(name), \(prepared.sealed), \(tags.json))
            """)
        return try await requiredDevice(.mfaDevice(account: account, path: path, name: name), on: connection)
    }

    package func device(_ serial: ARN, on connection: PostgresConnection) async throws -> MFADeviceEntity? {
        guard serial.service == "iam", serial.resourceType == "mfa" else { return nil }
        let found = try await connection.query(
            "\(raw: Self.selectDevice) WHERE d.account = \(serial.account) AND lower(d.name) = lower(\(serial.baseName)::text)"
        ).first.map(Self.device)
        return found?.arn == serial ? found : nil
    }

    package func requiredDevice(_ serial: ARN, on connection: PostgresConnection) async throws -> MFADeviceEntity {
        guard let device = try await device(serial, on: connection) else { throw Self.missingDevice(serial) }
        return device
    }

    package func devices(
        of user: Identity, _ page: ListPage, on connection: PostgresConnection
    ) async throws -> Listed<MFADeviceEntity> {
        let rows = try await connection.query(
            """
            \(raw: Self.selectDevice) WHERE d.user_id = \(user.id) AND lower(d.name) COLLATE "C" > \(page.after)::text
            ORDER BY lower(d.name) COLLATE "C" LIMIT \(page.fetched)
            """)
        return page.cut(try rows.map(Self.device)) { $0.name.lowercased() }
    }

    /// - Parameter assigned: nil for all devices.
    package func devices(
        account: String, assigned: Bool?, _ page: ListPage, on connection: PostgresConnection
    ) async throws -> Listed<MFADeviceEntity> {
        let rows = try await connection.query(
            """
            \(raw: Self.selectDevice)
            WHERE d.account = \(account) AND lower(d.name) COLLATE "C" > \(page.after)::text
              AND (\(assigned)::boolean IS NULL OR (d.user_id IS NOT NULL) = \(assigned)::boolean)
            ORDER BY lower(d.name) COLLATE "C" LIMIT \(page.fetched)
            """)
        return page.cut(try rows.map(Self.device)) { $0.name.lowercased() }
    }

    /// Takes the device from its user, whose sessions go on.
    package func deactivate(
        _ device: MFADeviceEntity, of user: Identity, on connection: PostgresConnection
    ) async throws {
        let changed = try await connection.execute(
            """
            UPDATE mfa_devices SET user_id = NULL, enabled_at = NULL
            WHERE device_id = \(device.deviceID) AND user_id = \(user.id)
            """)
        guard changed == 1 else { throw Self.foreignDevice(user) }
    }

    /// Deletes a device that is nobody's.
    package func delete(_ device: MFADeviceEntity, on connection: PostgresConnection) async throws {
        let changed = try await connection.execute(
            "DELETE FROM mfa_devices WHERE device_id = \(device.deviceID) AND user_id IS NULL")
        guard changed == 1 else {
            throw AccountsError(.deleteConflict, "MFA VirtualDevice in use. Must deactivate first.")
        }
    }

    static func missingDevice(_ serial: ARN) -> AccountsError {
        AccountsError(.noSuchEntity, "VirtualMFADevice with serial number \(serial) does not exist.")
    }

    static func foreignDevice(_ user: Identity) -> AccountsError {
        AccountsError(.noSuchEntity, "MFA Device invalid for user.")
    }

    static func deviceLabel(_ id: UUID) -> String { "mfa-device/\(id.uuidString.lowercased())" }

    private static let selectDevice =
        """
        SELECT d.device_id, d.account, d.path, d.name, d.tags, d.enabled_at, u.name AS user_name
        FROM mfa_devices d LEFT JOIN users u ON u.user_id = d.user_id
        """

    private static func device(_ row: PostgresRow) throws -> MFADeviceEntity {
        MFADeviceEntity(
            deviceID: try row.get("device_id"), account: try row.get("account"), path: try row.get("path"),
            name: try row.get("name"), tags: try IdentityTags(json: try row.get("tags")), userName: try row.get("user_name"),
            enabledAt: try row.get("enabled_at"))
    }
}
