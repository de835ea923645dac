package import Secrets

/// How to reach a PostgreSQL server, and the bounds that every call keeps.
package struct PostgresConfiguration: Sendable {
    package static let defaultMaximumConnections = 8
    package static let defaultAcquireTimeout: Duration = .seconds(5)
    package static let defaultStatementTimeout: Duration = .seconds(10)
    package static let defaultConnectTimeout: Duration = .seconds(5)
    package static let defaultIdleTransactionTimeout: Duration = .seconds(10)
    package static let defaultMaximumWaiters = 1024

    /// libpq connection string (`host=… port=… user=… dbname=…` or `postgresql://…`). Keep passwords out of it:
    /// use `password`, a `passfile`, or a socket with peer authentication.
    package var connection: String
    package var password: Redacted<String>?
    /// Takes the place of the connection string's `dbname`.
    package var database: String?
    package var applicationName: String
    /// What the pool is called in metrics: a few names for all processes.
    package var poolName = "other"
    /// Bound of the pool. A listener (`notifications(on:)`) holds one connection more.
    package var maximumConnections = Self.defaultMaximumConnections
    /// Bound of the tasks that wait for a connection; one more is refused with `.poolExhausted` at once.
    package var maximumWaiters = Self.defaultMaximumWaiters
    package var acquireTimeout = Self.defaultAcquireTimeout
    package var connectTimeout = Self.defaultConnectTimeout
    /// The server ends a statement after this time; a server that does not answer is given up `answerGrace` later.
    package var statementTimeout = Self.defaultStatementTimeout
    /// The server ends a session that holds a transaction open and sends nothing, so that a stopped process cannot
    /// keep row locks from the one that takes its work over.
    package var idleTransactionTimeout = Self.defaultIdleTransactionTimeout

    /// Lets connections leave this machine without `sslmode=verify-full`: where the network itself is encrypted.
    package var allowsUnencrypted = false

    /// Planner settings of every session (`enable_seqscan=off`): for pools whose statements are all meant to go by an index.
    package var plannerSettings: [String] = []

    /// How much later than the server's own time-out the client gives up.
    static let answerGrace: Duration = .seconds(2)

    package init(connection: String, applicationName: String = "forecastle") {
        self.connection = connection
        self.applicationName = applicationName
    }

    var answerTimeout: Duration { statementTimeout + Self.answerGrace }
}
