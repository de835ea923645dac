/// A column of secrets that a `SecretSealer` sealed: what a rotation of the root key has to seal anew.
package struct SealedColumn: Sendable {
    package let table: String
    /// Column, or expression, of text that identifies a row.
    package let id: String
    package let column: String
    /// The label of a row's secret is this and its id.
    package let labelPrefix: String

    package func label(_ id: String) -> String { labelPrefix + id }
}

extension AccountsStore {
    static let accessKeySecrets = SealedColumn(
        table: "access_keys", id: "access_key_id", column: "sealed_secret", labelPrefix: "access-key/")
    static let sessionSecrets = SealedColumn(
        table: "sessions", id: "access_key_id", column: "sealed_secret", labelPrefix: "session/")
    static let deviceSeeds = SealedColumn(
        table: "mfa_devices", id: "device_id::text", column: "sealed_seed", labelPrefix: "mfa-device/")

    /// All that there are: a table of sealed secrets that is not in this list loses them at the next rotation but one.
    package static let sealedColumns = [accessKeySecrets, sessionSecrets, deviceSeeds]
}
