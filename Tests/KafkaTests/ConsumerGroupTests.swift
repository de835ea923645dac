import Kafka
import ServiceTesting
import Testing

@Test func groupGoesOnAfterWhatWasCommitted() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    func consumer() throws -> KafkaConsumerGroup {
        try KafkaConsumerGroup(configuration: configuration(broker), groupID: "g", topics: ["t"], logger: quiet)
    }
    let first = try consumer()
    try await with(producer, first) {
        for index in 0..<10 { try await producer.send(topic: "t", key: [7], value: Array("\(index)".utf8)) }
        let read = try await values(10, from: first.messages)
        #expect(read.map(text) == (0..<10).map(String.init))
        #expect(read.map(\.offset) == Array(0..<10) && read[0].key == [7])
        try await first.commit(read[6])
        // An older one changes nothing.
        try await first.commit(read[2])
    }
    let second = try consumer()
    try await with(second) {
        let rest = try await values(3, from: second.messages)
        #expect(rest.map(text) == ["7", "8", "9"])
    }
}

@Test func manyCommitsAtOnceAreAllAnswered() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 2], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    let consumer = try KafkaConsumerGroup(configuration: configuration(broker), groupID: "g", topics: ["t"], logger: quiet)
    try await with(producer, consumer) {
        for index in 0..<200 { try await producer.send(topic: "t", value: Array("\(index)".utf8)) }
        let read = try await values(200, from: consumer.messages)
        try await within("200 commits") {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for message in read { group.addTask { try await consumer.commit(message) } }
                try await group.waitForAll()
            }
        }
        // The next member goes on behind them.
        try await producer.send(topic: "t", value: Array("next".utf8))
    }
    let next = try KafkaConsumerGroup(configuration: configuration(broker), groupID: "g", topics: ["t"], logger: quiet)
    let after = try await with(next) { try await values(1, from: next.messages).map(text) }
    #expect(after == ["next"])
}

@Test func failedCommitIsSaidAndTheGroupGoesOn() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    let consumer = try KafkaConsumerGroup(configuration: configuration(broker), groupID: "g", topics: ["t"], logger: quiet)
    try await with(producer, consumer) {
        try await producer.send(topic: "t", value: [1])
        let first = try await values(1, from: consumer.messages)
        broker.answer(.offsetCommit, with: [.notAuthorized])
        let error = await #expect(throws: KafkaError.self) { try await consumer.commit(first[0]) }
        #expect(error?.code == .denied)
        try await consumer.commit(first[0])
        try await producer.send(topic: "t", value: [2])
        #expect(try await values(1, from: consumer.messages)[0].value == [2])
    }
}

@Test func readerThatLagsLosesNothing() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 2], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    let consumer = try KafkaConsumerGroup(configuration: configuration(broker), groupID: "g", topics: ["t"], logger: quiet)
    // Several times what the buffer holds: it is paused while nobody reads and goes on again and again.
    let count = 3000
    try await with(producer, consumer) {
        try await producer.send(topic: "t", value: Array("0".utf8))
        let first = try await values(1, from: consumer.messages)
        for batch in 0..<30 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in max(1, batch * 100)..<(batch + 1) * 100 {
                    group.addTask { try await producer.send(topic: "t", value: Array("\(index)".utf8)) }
                }
                try await group.waitForAll()
            }
        }
        let rest = try await values(count - 1, from: consumer.messages)
        #expect(Set((first + rest).map(text)) == Set((0..<count).map(String.init)))
    }
}

@Test func membersShareAndTakeOver() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 4], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    func consumer() throws -> KafkaConsumerGroup {
        try KafkaConsumerGroup(configuration: configuration(broker), groupID: "g", topics: ["t"], logger: quiet)
    }
    let staying = try consumer()
    let leaving = try consumer()
    try await with(producer, staying) {
        try await with(leaving) {
            try await producer.send(topic: "t", value: [1])
            try await within("the first message at either member") {
                await withTaskGroup(of: Void.self) { group in
                    for member in [staying, leaving] {
                        group.addTask { for await _ in member.messages { return } }
                    }
                    await group.next()
                    group.cancelAll()
                }
            }
        }
        // All partitions are the other's now.
        for index in 0..<20 { try await producer.send(topic: "t", value: Array("after \(index)".utf8)) }
        let missing = try await within("what was published after one member left") {
            var missing = Set((0..<20).map { "after \($0)" })
            for await message in staying.messages {
                missing.remove(text(message))
                if missing.isEmpty { break }
            }
            return missing
        }
        #expect(missing.isEmpty)
    }
}

@Test func groupFollowsABrokerThatStartedElsewhere() async throws {
    let first = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    let address = MovingAddress(first.bootstrap)
    let configuration = KafkaConfiguration.embedded(bootstrap: address.bootstrap, clientID: "test")
    let consumer = try KafkaConsumerGroup(configuration: configuration, groupID: "g", topics: ["t"], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration, logger: quiet)
    try await with(producer, consumer) {
        try await producer.send(topic: "t", value: [1])
        let read = try await values(1, from: consumer.messages)
        try await consumer.commit(read[0])
        first.stop()
        let second = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
        address.move(to: second.bootstrap)
        try await within("the new broker") {
            while (try? await producer.send(topic: "t", value: [2])) == nil {}
        }
        // Its offsets begin anew: read from the oldest, although more was committed at the old one.
        #expect(try await values(1, from: consumer.messages)[0].value == [2])
        second.stop()
    }
}

@Test func topicThatDoesNotExistYetIsReadOnceItDoes() async throws {
    let broker = try EmbeddedBroker(logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    let consumer = try KafkaConsumerGroup(configuration: configuration(broker), groupID: "g", topics: ["new"], logger: quiet)
    try await with(producer, consumer) {
        try await producer.send(topic: "new", value: [1])
        #expect(try await values(1, from: consumer.messages)[0].value == [1])
    }
}

/// Closed between joining and its first assignment, a client with another assignor would abort the process.
@Test func groupIsLeftInPeaceAtAnyMomentOfJoiningIt() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    broker.setRoundTrip(.milliseconds(300))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        for step in 0..<40 {
            tasks.addTask {
                let consumer = try KafkaConsumerGroup(
                    configuration: configuration(broker), groupID: "g\(step)", topics: ["t"], logger: quiet)
                try await with(consumer) { try await Task.sleep(for: .milliseconds(step * 150)) }
            }
        }
        try await tasks.waitForAll()
    }
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    let consumer = try KafkaConsumerGroup(configuration: configuration(broker), groupID: "g1", topics: ["t"], logger: quiet)
    try await with(producer, consumer) {
        try await producer.send(topic: "t", value: [1])
        #expect(try await values(1, from: consumer.messages)[0].value == [1])
    }
}

@Test func oddMessagesComeThroughAsTheyAre() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    let consumer = try KafkaConsumerGroup(configuration: configuration(broker), groupID: "g", topics: ["t"], logger: quiet)
    let odd: [[UInt8]] = [[], [0], [0xFF, 0xFE, 0xC0], [UInt8](repeating: 0x20, count: 900_000)]
    try await with(producer, consumer) {
        for value in odd { try await producer.send(topic: "t", value: value) }
        #expect(try await values(odd.count, from: consumer.messages).map(\.value) == odd)
    }
}

@Test func groupSurvivesRebalancesAndLostCoordinators() async throws {
    let broker = try EmbeddedBroker(brokers: 2, topics: ["t": 2], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    let consumer = try KafkaConsumerGroup(configuration: configuration(broker), groupID: "g", topics: ["t"], logger: quiet)
    try await with(producer, consumer) {
        for round in 0..<4 {
            try await producer.send(topic: "t", value: Array("\(round)".utf8))
            let found = try await within("round \(round)") {
                for await message in consumer.messages where text(message) == "\(round)" {
                    broker.answer(.offsetCommit, with: [.notCoordinator, .rebalancing])
                    // May fail: then the message would come again, which is allowed.
                    try? await consumer.commit(message)
                    return true
                }
                return false
            }
            #expect(found)
            broker.setCoordinator(group: "g", broker: 1 + round % 2)
            broker.answer(.heartbeat, with: [.notCoordinator, .rebalancing])
            broker.answer(.joinGroup, with: [.notCoordinator])
        }
    }
}

@Test func theTraceOfAMessageArrivesWithIt() async throws {
    let broker = try EmbeddedBroker(topics: ["t": 1], logger: quiet)
    let producer = try KafkaProducer(configuration: configuration(broker), logger: quiet)
    let consumer = try KafkaConsumerGroup(configuration: configuration(broker), groupID: "g", topics: ["t"], logger: quiet)
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    try await with(producer, consumer) {
        for traceparent in [trace, nil, "", String(repeating: "x", count: 64), String(repeating: "x", count: 65)] {
            try await producer.send(topic: "t", value: [1], traceparent: traceparent)
        }
        let read = try await values(5, from: consumer.messages)
        // What is longer than one can be is as good as none.
        #expect(read.map(\.traceparent) == [trace, nil, "", String(repeating: "x", count: 64), nil])
    }
}
