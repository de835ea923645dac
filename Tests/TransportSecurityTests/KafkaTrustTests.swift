import AWSProtocol
import Certificates
import Kafka
import Logging
import Testing
import TransportSecurity

/// What librdkafka refuses, against a TLS server that is no broker: the handshake comes first.
@Suite struct KafkaTrustTests {
    enum Fault: CaseIterable, CustomStringConvertible {
        case otherAuthority, expired, otherName, plainText

        var description: String {
            switch self {
            case .otherAuthority: "another authority"
            case .expired: "an expired certificate"
            case .otherName: "another name"
            case .plainText: "plain text"
            }
        }
    }

    private static let distrust = "a kafka broker is not trusted"

    @Test(arguments: Fault.allCases)
    func aBrokerThatIsNotTrustedIsRefusedAndTheLogSaysWhy(fault: Fault) async throws {
        try await TLSWorld.with { world in
            switch fault {
            case .expired: try world.issue(.authority, seconds: -60)
            case .otherName: try world.issue(.authority, names: ["127.0.0.2"])
            case .otherAuthority, .plainText: break
            }
            let tls = fault == .plainText ? nil : try world.server(in: fault == .otherAuthority ? world.others : nil)
            try await withServer(tls) { port in
                let told = try await complaint(Self.distrust, port: port, authority: world.ours.authority)
                #expect(told.contains(Self.distrust), "\(told)")
            }
        }
    }

    @Test func aBrokerThatIsTrustedIsNotComplainedOf() async throws {
        try await TLSWorld.with { world in
            try await withServer(try world.server()) { port in
                // It speaks no Kafka: no answer is the complaint.
                let told = try await complaint("kafka broker", port: port, authority: world.ours.authority)
                #expect(told.contains("no kafka broker answers"), "\(told)")
            }
        }
    }

    /// The first thing that a producer says about its brokers and that holds the words.
    private func complaint(_ words: String, port: Int, authority: String) async throws -> String {
        let (logger, messages) = ToldLog.make()
        let configuration = KafkaConfiguration(
            bootstrap: .servers("127.0.0.1:\(port)"), clientID: "test",
            extra: [
                "security.protocol": "ssl", "ssl.ca.location": authority, "ssl.endpoint.identification.algorithm": "https",
            ])
        let producer = try KafkaProducer(configuration: configuration, logger: logger)
        return try await withThrowingTaskGroup(of: String?.self) { group in
            group.addTask {
                try await producer.run()
                return nil
            }
            group.addTask {
                for await message in messages where message.contains(words) { return message }
                return nil
            }
            group.addTask {
                try await Task.sleep(for: .seconds(120))
                return "nothing was said"
            }
            defer { group.cancelAll() }
            while let next = try await group.next() {
                if let next { return next }
            }
            return "nothing was said"
        }
    }
}
