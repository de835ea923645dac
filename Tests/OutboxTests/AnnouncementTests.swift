import Kafka
import Outbox
import Postgres
import PostgresTesting
import ServiceTesting
import Testing

@Test func announcementIsOneFlatObject() throws {
    let announcement = Announcement("stop", ["job": "j/1"])
    #expect(String(decoding: try announcement.serialized(), as: UTF8.self) == #"{"announcement":"stop","job":"j/1"}"#)
    #expect(Announcement(parsing: try announcement.serialized()) == announcement)
}

@Test(arguments: [
    "", "{}", "[]", "null", "garbage", "{\"announcement\":", #"{"announcement":1}"#, #"{"announcement":""}"#,
    #"{"announcement":"x","job":{"deep":1}}"#, "\u{0}",
])
func whatIsNoAnnouncementIsPassedOver(_ text: String) {
    #expect(Announcement(parsing: Array(text.utf8)) == nil)
}

@Test func announcementIsBounded() throws {
    let frame = #"{"announcement":"x","a":""}"#.utf8.count
    for (length, fits) in [(Announcement.bytes - 1, true), (Announcement.bytes, true), (Announcement.bytes + 1, false)] {
        let announcement = Announcement("x", ["a": String(repeating: "a", count: length - frame)])
        let bytes = try? announcement.serialized()
        #expect((bytes?.count == length) == fits)
    }
    let long = Array(#"{"announcement":"\#(String(repeating: "x", count: Announcement.bytes))"}"#.utf8)
    #expect(Announcement(parsing: long) == nil)
}

@Suite(.enabled(if: TestDatabase.isAvailable))
struct ThroughKafkaTests {
    @Test func appendedAnnouncementsAndDoorbellsAreHeard() async throws {
        try await TestDatabase.with(migrations: .jobs) { pool in
            let control = try TopicName.control(prefix: "test")
            let jobs = try TopicName.jobs(prefix: "test", kind: "import")
            let broker = try EmbeddedBroker(topics: [control.name: 2, jobs.name: 2], logger: quiet)
            let configuration = KafkaConfiguration.embedded(bootstrap: .servers(broker.bootstrap), clientID: "test")
            let producer = try KafkaProducer(configuration: configuration, logger: quiet)
            let tail = try KafkaTailReader(configuration: configuration, topic: control.name, logger: quiet)
            let group = try KafkaConsumerGroup(
                configuration: configuration, groupID: "workers", topics: [jobs.name], logger: quiet)
            let (rings, ringing) = AsyncStream.makeStream(of: String.self)
            let bells = Doorbells(group: group, logger: quiet) { ringing.yield($0) }
            let relay = try OutboxRelay(pool: pool, publisher: producer, logger: quiet)

            try await with(producer, tail, bells, relay) {
                try await within("the announcement") {
                    var isListening = false
                    for await event in Announcements.events(of: tail) {
                        switch event {
                        case .mayHaveMissed where !isListening:
                            isListening = true
                            try await producer.send(topic: control.name, value: Array("garbage".utf8))
                            try await pool.transaction { connection in
                                try await Announcements.append(
                                    Announcement("stop", ["job": "1"]), topic: control, on: connection)
                                try await Outbox.append(topic: jobs.name, payload: Array("no JSON".utf8), on: connection)
                            }
                            relay.wake()
                        case .mayHaveMissed: break
                        case .announcement(let announcement):
                            #expect(announcement == Announcement("stop", ["job": "1"]))
                            return
                        }
                    }
                }
                try await within("the ring") {
                    for await topic in rings {
                        #expect(topic == jobs.name)
                        return
                    }
                }
                try await waitUntilEmpty(pool)
            }
            broker.stop()
        }
    }
}
