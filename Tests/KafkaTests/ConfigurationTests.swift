import Foundation
import Kafka
import Testing

@Test(arguments: ["enable.idempotence", "acks", "enable.auto.commit", "group.id", "bootstrap.servers", "auto.offset.reset"])
func settingOnWhichAPromiseRestsIsRefused(_ name: String) {
    let configuration = KafkaConfiguration(bootstrap: .servers("x:1"), clientID: "c", extra: [name: "1"])
    let error = #expect(throws: KafkaError.self) { try configuration.validate() }
    #expect(error?.code == .configuration && error?.message.contains(name) == true)
}

@Test func settingThatLibrdkafkaRefusesIsNamedWithoutItsValue() async throws {
    let configuration = KafkaConfiguration(
        bootstrap: .servers("x:1"), clientID: "c", extra: ["security.protocol": "hunter2"])
    let producer = try KafkaProducer(configuration: configuration, logger: quiet)
    let error = await #expect(throws: KafkaError.self) { try await producer.run() }
    #expect(error?.code == .configuration)
    #expect(error.map { "\($0)" }?.contains("security.protocol") == true)
    #expect(error.map { "\($0)" }?.contains("hunter2") == false)
}

@Test func durationOutOfBoundsIsNamed() {
    var configuration = KafkaConfiguration(bootstrap: .servers("x:1"), clientID: "c")
    configuration.deliveryTimeout = .milliseconds(99)
    let error = #expect(throws: KafkaError.self) { try configuration.validate() }
    #expect(error?.message.contains("deliveryTimeout") == true)
    configuration.deliveryTimeout = .milliseconds(100)
    #expect(throws: Never.self) { try configuration.validate() }
}

@Test func addressIsTheFirstLineOfTheFile() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "address-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let error = #expect(throws: KafkaError.self) { try KafkaBootstrap.file(path).resolve() }
    #expect(error?.code == .connection)
    try Data("127.0.0.1:9092\n".utf8).write(to: URL(fileURLWithPath: path))
    #expect(try KafkaBootstrap.file(path).resolve() == "127.0.0.1:9092")
}
