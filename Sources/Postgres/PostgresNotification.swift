/// What NOTIFY sent. An empty payload may also mean "you may have missed some" (see `PostgresPool.notifications(on:)`).
package struct PostgresNotification: Sendable, Equatable {
    package let channel: String
    package let payload: String
    /// The server process of the session that notified; 0 where the listener itself speaks.
    package let processID: Int32
}
