import Kafka
import ServiceTesting
import Testing

/// The next event of the stream.
private func next(_ events: AsyncStream<KafkaTailEvent>, _ what: String) async throws -> KafkaTailEvent? {
    try await within(what) {
        for await event in events { return event }
        return nil
    }
}

private func expectPositioned(_ tail: KafkaTailReader, _ what: String) async throws {
    #expect(try await next(tail.events, what) == .positioned)
}

@Test func tailBeginsAtTheEndAndMissesNothingAfterIt() async throws {
    let broker = try EmbeddedBroker(topics: ["c": 3], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    let tail = try KafkaTailReader(configuration: configuration(broker), topic: "c", logger: quiet)
    try await with(producer) {
        for index in 0..<30 { try await producer.send(topic: "c", value: Array("old \(index)".utf8)) }
        try await with(tail) {
            try await expectPositioned(tail, "the end")
            for index in 0..<30 { try await producer.send(topic: "c", value: Array("new \(index)".utf8)) }
            var found: Set<String> = []
            while found.count < 30 {
                guard case .message(let message) = try await next(tail.events, "a message") else { break }
                found.insert(text(message))
            }
            #expect(found == Set((0..<30).map { "new \($0)" }))
        }
    }
}

@Test func everyTailReadsEverything() async throws {
    let broker = try EmbeddedBroker(topics: ["c": 2], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    let tails = try (0..<2).map { _ in try KafkaTailReader(configuration: configuration(broker), topic: "c", logger: quiet) }
    try await with(producer, tails[0], tails[1]) {
        for tail in tails { try await expectPositioned(tail, "the end") }
        try await producer.send(topic: "c", value: [1])
        for tail in tails {
            guard case .message(let message) = try await next(tail.events, "the message") else {
                Issue.record("no message")
                return
            }
            #expect(message.value == [1])
        }
    }
}

@Test func tailIsAtTheEndAgainAfterItLostItsBroker() async throws {
    let broker = try EmbeddedBroker(topics: ["c": 1], logger: quiet)
    let (logger, messages) = SignallingLog.make()
    let tail = try KafkaTailReader(configuration: configuration(broker), topic: "c", logger: logger)
    try await with(tail) {
        try await expectPositioned(tail, "the end")
        // Down until the reader noticed: after a shorter absence it reads on where it was and misses nothing.
        broker.setDown()
        try await within("the reader to miss its broker") {
            for await message in messages where message == "no kafka broker answers" { return }
        }
        broker.setUp()
        try await expectPositioned(tail, "the end again")
    }
}

@Test func tailFollowsABrokerThatStartedElsewhere() async throws {
    let first = try EmbeddedBroker(topics: ["c": 1], logger: quiet)
    let address = MovingAddress(first.bootstrap)
    let configuration = KafkaConfiguration.embedded(bootstrap: address.bootstrap, clientID: "test")
    let tail = try KafkaTailReader(configuration: configuration, topic: "c", logger: quiet)
    try await with(tail) {
        try await expectPositioned(tail, "the end")
        first.stop()
        let second = try EmbeddedBroker(topics: ["c": 1], logger: quiet)
        address.move(to: second.bootstrap)
        try await expectPositioned(tail, "the end at the new broker")
        second.stop()
    }
}
