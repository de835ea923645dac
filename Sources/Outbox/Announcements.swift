package import Kafka
package import Postgres

/// The control topic: every process hears every announcement that is made while it listens.
package enum Announcements {
    package enum Event: Sendable, Hashable {
        /// It listens from here on and may have missed what came before: look for yourself once.
        case mayHaveMissed
        case announcement(Announcement)
    }

    /// Announces at once, outside any transaction. Throws what the publisher does; a caller may well ignore it.
    package static func announce(
        _ announcement: Announcement, topic: TopicName, by publisher: any MessagePublisher
    ) async throws {
        try await publisher.send(topic: topic.name, key: nil, value: try announcement.serialized())
    }

    /// Announces what the caller's transaction does, once it commits.
    package static func append(
        _ announcement: Announcement, topic: TopicName, on connection: PostgresConnection
    ) async throws {
        try await Outbox.append(topic: topic.name, payload: try announcement.serialized(), on: connection)
    }

    /// What the reader hears. What is no announcement is passed over.
    package static func events(of tail: KafkaTailReader) -> AsyncStream<Event> {
        let events = tail.events
        return AsyncStream {
            for await event in events {
                switch event {
                case .positioned: return .mayHaveMissed
                case .message(let message):
                    if let announcement = Announcement(parsing: message.value) { return .announcement(announcement) }
                }
            }
            return nil
        }
    }
}
