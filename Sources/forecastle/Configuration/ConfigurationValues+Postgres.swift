import Postgres

extension ConfigurationValues {
    /// How the database of a setting is reached; an error where the setting is not set.
    func postgres(_ key: String, applicationName: String) throws -> PostgresConfiguration {
        var configuration = PostgresConfiguration(connection: try required(key), applicationName: applicationName)
        configuration.acquireTimeout = duration(milliseconds: "postgres.acquire_timeout_ms")
        configuration.allowsUnencrypted = flag("postgres.allow_unencrypted")
        return configuration
    }
}
