import Kafka
import Testing

@Suite struct FaultOrderTests {
    @Test(arguments: [
        "down", "up", "rtt 0", "rtt 60000", "answer produce not-leader timed-out", "coordinator some.group 3",
    ])
    func ordersAreReadAsTheyAreWritten(text: String) throws {
        #expect(try FaultOrder(text).description == text)
    }

    @Test(arguments: [
        "", "sideways", "down now", "rtt", "rtt -1", "rtt 60001", "rtt x", "answer", "answer produce", "answer nothing timed-out",
        "answer produce nothing", "coordinator group", "coordinator group 0", "coordinator group 17",
        "answer produce" + String(repeating: " timed-out", count: 101),
    ])
    func anythingElseIsRefused(text: String) {
        #expect(throws: KafkaError.self) { try FaultOrder(text) }
    }
}
