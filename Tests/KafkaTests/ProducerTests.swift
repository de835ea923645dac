import Kafka
import ServiceTesting
import Testing

@Test func sendReturnsWhenTheBrokerHasTheMessage() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    try await with(producer) {
        for index in 0..<100 { try await producer.send(topic: "t", key: [1], value: Array("\(index)".utf8)) }
    }
    #expect(try await held("t", of: broker, count: 100) == (0..<100).map(String.init).sorted())
}

@Test func manySendsAtOnceAllArrive() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 3], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    try await with(producer) {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<2000 {
                group.addTask { try await producer.send(topic: "t", value: Array("\(index)".utf8)) }
            }
            try await group.waitForAll()
        }
    }
    #expect(try await held("t", of: broker, count: 2000) == (0..<2000).map(String.init).sorted())
}

@Test func sendWaitsForTheBroker() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    broker.setDown()
    async let sent: Void = producer.send(topic: "t", value: [1])
    try await with(producer) {
        async let second: Void = producer.send(topic: "t", value: [2])
        broker.setUp()
        try await second
    }
    try await sent
    #expect(try await held("t", of: broker, count: 2) == ["\u{1}", "\u{2}"])
}

@Test func sendEndsWithARetriableErrorWhenNoBrokerAnswers() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    var configuration = configuration(broker)
    configuration.deliveryTimeout = .milliseconds(300)
    let producer = try KafkaProducer(configuration: configuration, logger: quiet)
    broker.setDown()
    try await with(producer) {
        let error = await #expect(throws: KafkaError.self) { try await producer.send(topic: "t", value: [1]) }
        #expect(error?.code == .timedOut && error?.isRetriable == true)
        broker.setUp()
        try await within("a broker that is up again") {
            while (try? await producer.send(topic: "t", value: [2])) == nil {}
        }
    }
}

@Test func sendEndsWithARetriableErrorWhenNoAddressIsKnown() async throws {
    var configuration = KafkaConfiguration.embedded(bootstrap: .file("/nonexistent/broker.address"), clientID: "test")
    configuration.deliveryTimeout = .milliseconds(200)
    let producer = try KafkaProducer(configuration: configuration, logger: quiet)
    try await with(producer) {
        let error = await #expect(throws: KafkaError.self) { try await producer.send(topic: "t", value: [1]) }
        #expect(error?.code == .connection && error?.isRetriable == true)
    }
}

@Test func passingAnswersOfTheBrokerAreRetriedInside() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    broker.answer(.produce, with: [.notLeader, .timedOut, .disconnect])
    try await with(producer) { for value: UInt8 in [1, 2] { try await producer.send(topic: "t", value: [value]) } }
    // Once each, although the answer to the first was lost.
    #expect(try await held("t", of: broker, count: 2) == ["\u{1}", "\u{2}"])
}

@Test func messageThatIsTooLargeIsRefusedForGood() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    try await with(producer) {
        let own = await #expect(throws: KafkaError.self) {
            try await producer.send(topic: "t", value: [UInt8](repeating: 0, count: 2_000_000))
        }
        #expect(own?.code == .messageTooLarge && own?.isRetriable == false)
        broker.answer(.produce, with: [.tooLarge])
        let brokers = await #expect(throws: KafkaError.self) { try await producer.send(topic: "t", value: [1]) }
        #expect(brokers?.code == .messageTooLarge)
        try await producer.send(topic: "t", value: [2])
    }
}

@Test func producerIsRebuiltAfterAFatalError() async throws {
    // Whether a message was on its way then or came between the failure and the new client. One that came before hears nothing of
    // the failure: then once more.
    var failures: [KafkaError] = []
    for _ in 0..<50 where failures.isEmpty { failures = try await failuresAroundAFatalError() }
    #expect(!failures.isEmpty)
    for failure in failures { #expect(failure.isFatal && failure.isRetriable, "\(failure)") }
}

/// What a caller hears who repeats a message until it is published, while the producer's first client fails for good.
private func failuresAroundAFatalError() async throws -> [KafkaError] {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    broker.answer(.initProducerID, with: [.clusterNotAuthorized])
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    return try await with(producer) {
        try await within("a new client") {
            var failures: [KafkaError] = []
            while true {
                do {
                    try await producer.send(topic: "t", value: [1])
                    return failures
                } catch let error as KafkaError {
                    failures.append(error)
                }
            }
        }
    }
}

@Test func producerFollowsABrokerThatStartedElsewhere() async throws {
    let first = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    let address = MovingAddress(first.bootstrap)
    let producer = try KafkaProducer(
        configuration: .embedded(bootstrap: address.bootstrap, clientID: "test"), logger: quiet)
    try await with(producer) {
        try await producer.send(topic: "t", value: [1])
        first.stop()
        let second = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
        address.move(to: second.bootstrap)
        try await within("the new broker") {
            while true {
                do {
                    return try await producer.send(topic: "t", value: [2])
                } catch {
                    #expect((error as? KafkaError)?.isRetriable == true)
                }
            }
        }
        second.stop()
    }
}

@Test func cancelledSendReturnsAtOnce() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    broker.setDown()
    try await with(producer) {
        let sending = Task { try await producer.send(topic: "t", value: [1]) }
        sending.cancel()
        try await within("a cancelled send", limit: .seconds(60)) {
            _ = await #expect(throws: CancellationError.self) { try await sending.value }
        }
    }
}

@Test func stoppedProducerRefuses() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    try await with(producer) { try await producer.send(topic: "t", value: [1]) }
    let error = await #expect(throws: KafkaError.self) { try await producer.send(topic: "t", value: [1]) }
    #expect(error?.code == .closed && error?.isRetriable == false)
}

@Test func brokersAreAskedForWhoWantsToKnow() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    try await with(producer) {
        try await within("an answer of the broker") {
            while (try? await producer.askBrokers()) == nil { try await Task.sleep(for: .milliseconds(5)) }
        }
        broker.setDown()
        try await within("the broker to be missed") {
            while (try? await producer.askBrokers()) != nil { try await Task.sleep(for: .milliseconds(5)) }
        }
    }
    let error = await #expect(throws: KafkaError.self) { try await producer.askBrokers() }
    #expect(error?.code == .closed)
}
