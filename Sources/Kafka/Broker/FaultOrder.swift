/// A fault of the embedded broker as a line of text: `down`, `up`, `rtt MS`, `answer REQUEST ANSWER…`,
/// `coordinator GROUP BROKER`.
package struct FaultOrder: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: Hashable {
        case down, up
        case roundTrip(milliseconds: Int)
        case answer(request: String, answers: [String])
        case coordinator(group: String, broker: Int)
    }

    private static let requests: [String: EmbeddedBroker.Request] = [
        "produce": .produce, "fetch": .fetch, "metadata": .metadata, "offset-commit": .offsetCommit,
        "find-coordinator": .findCoordinator, "join-group": .joinGroup, "heartbeat": .heartbeat,
        "init-producer-id": .initProducerID, "list-offsets": .listOffsets,
    ]

    private static let answers: [String: EmbeddedBroker.Answer] = [
        "disconnect": .disconnect, "not-leader": .notLeader, "timed-out": .timedOut, "too-large": .tooLarge,
        "out-of-order-sequence": .outOfOrderSequence, "fenced-producer": .fencedProducer, "rebalancing": .rebalancing,
        "not-coordinator": .notCoordinator, "not-authorized": .notAuthorized,
    ]

    package static let answersMax = 100

    private let kind: Kind
    package let description: String

    /// Throws what is wrong with it.
    package init(_ text: String) throws(KafkaError) {
        let words = text.split(separator: " ").map(String.init)
        func wrong(_ rule: String) -> KafkaError { KafkaError(.configuration, "an order of faults \(rule)") }
        switch (words.first, words.count) {
        case ("down", 1): kind = .down
        case ("up", 1): kind = .up
        case ("rtt", 2):
            guard let milliseconds = Int(words[1]), (0...60_000).contains(milliseconds) else {
                throw wrong("has a round trip between 0 and 60000 ms")
            }
            kind = .roundTrip(milliseconds: milliseconds)
        case ("answer", 3...(2 + Self.answersMax)):
            guard Self.requests[words[1]] != nil else { throw wrong("names no request") }
            guard words[2...].allSatisfy({ Self.answers[$0] != nil }) else { throw wrong("names no answer") }
            kind = .answer(request: words[1], answers: Array(words[2...]))
        case ("coordinator", 3):
            guard let broker = Int(words[2]), (1...16).contains(broker) else { throw wrong("names a broker from 1 to 16") }
            kind = .coordinator(group: words[1], broker: broker)
        default: throw wrong("is down, up, rtt MS, answer REQUEST ANSWER… or coordinator GROUP BROKER")
        }
        description = words.joined(separator: " ")
    }

    package func carryOut(at broker: EmbeddedBroker) {
        switch kind {
        case .down: broker.setDown()
        case .up: broker.setUp()
        case .roundTrip(let milliseconds): broker.setRoundTrip(.milliseconds(milliseconds))
        case .answer(let request, let answers):
            guard let request = Self.requests[request] else { return }
            broker.answer(request, with: answers.compactMap { Self.answers[$0] })
        case .coordinator(let group, let number): broker.setCoordinator(group: group, broker: number)
        }
    }
}
