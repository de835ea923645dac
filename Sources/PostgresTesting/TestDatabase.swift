import FoundationEssentials
package import Logging
package import Postgres

/// A database of a test's own on the server that `FORECASTLE_TEST_POSTGRES` names (a superuser's connection string).
///
/// ```swift
/// @Suite(.enabled(if: TestDatabase.isAvailable)) struct Claims {
///     @Test func twoWorkersNeverShareATask() async throws {
///         try await TestDatabase.with(migrations: .jobs) { pool in … }
///     }
/// }
/// ```
package struct TestDatabase: Sendable {
    package static let variable = "FORECASTLE_TEST_POSTGRES"

    package static var isAvailable: Bool { connection != nil }

    private static var connection: String? {
        ProcessInfo.processInfo.environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The folder `migrations` of this checkout.
    package static var migrationsDirectory: String {
        var path = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        path.removeLast(3)
        return path.joined(separator: "/") + "/migrations"
    }

    /// For further pools on the same database.
    package let configuration: PostgresConfiguration
    package let pool: PostgresPool

    package var name: String { configuration.database ?? "" }

    /// A fresh database with a set's migrations applied, for the time of `body`. `nil` for an empty one.
    @discardableResult
    package nonisolated(nonsending) static func with<R: Sendable>(
        migrations set: Migrations.Set?, _ body: (PostgresPool) async throws -> R
    ) async throws -> R {
        try await withDatabase(migrations: set) { try await body($0.pool) }
    }

    @discardableResult
    package nonisolated(nonsending) static func withDatabase<R: Sendable>(
        migrations set: Migrations.Set?, _ body: (TestDatabase) async throws -> R
    ) async throws -> R {
        let database = try await create(migrations: set)
        do {
            let result = try await body(database)
            try await database.drop()
            return result
        } catch {
            // What the test found matters more than what clearing up finds.
            try? await database.drop()
            throw error
        }
    }

    /// For suites that keep a database over several tests; whoever creates drops.
    package static func create(migrations set: Migrations.Set?) async throws -> TestDatabase {
        let name = "t_" + randomName()
        let template = try await set.asyncMap { try await TestTemplate(set: $0).ready() } ?? "template0"
        try await withAdministrator { pool in
            try await pool.execute("CREATE DATABASE \(raw: name) TEMPLATE \(raw: template)")
        }
        let configuration = try configuration(database: name)
        return TestDatabase(configuration: configuration, pool: PostgresPool(configuration: configuration, logger: logger))
    }

    package func drop() async throws {
        pool.close()
        let name = name
        try await Self.withAdministrator { try await $0.execute("DROP DATABASE IF EXISTS \(raw: name) WITH (FORCE)") }
    }

    /// Another pool on the same database: a second process, as far as the database can tell. Close it at the end.
    package func anotherPool(_ change: (inout PostgresConfiguration) -> Void = { _ in }) -> PostgresPool {
        var configuration = configuration
        change(&configuration)
        return PostgresPool(configuration: configuration, logger: Self.logger)
    }

    package static var logger: Logger { Logger(label: "postgres.test") { _ in SwiftLogNoOpLogHandler() } }

    private static let patience: Duration = .seconds(120)

    static func configuration(database: String?) throws -> PostgresConfiguration {
        guard let connection else {
            throw PostgresError(.connectionFailed, message: "\(variable) names no server.")
        }
        var configuration = PostgresConfiguration(connection: connection, applicationName: "forecastle-test")
        configuration.database = database
        // Many suites share the server, and each is small.
        configuration.maximumConnections = 4
        // On a busy machine everything takes its time; tests of a time-out set their own.
        configuration.acquireTimeout = patience
        configuration.connectTimeout = patience
        configuration.statementTimeout = patience
        configuration.idleTransactionTimeout = patience
        return configuration
    }

    /// A pool on the server's own database, for CREATE and DROP.
    @discardableResult
    nonisolated(nonsending) static func withAdministrator<R: Sendable>(
        _ body: (PostgresPool) async throws -> R
    ) async throws -> R {
        var configuration = try configuration(database: nil)
        configuration.maximumConnections = 1
        let pool = PostgresPool(configuration: configuration, logger: logger)
        defer { pool.close() }
        return try await body(pool)
    }

    static func randomName() -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<12).map { _ in letters.randomElement() ?? "x" })
    }
}

extension Optional {
    fileprivate func asyncMap<R>(_ transform: (Wrapped) async throws -> R) async rethrows -> R? {
        if let self { try await transform(self) } else { nil }
    }
}
