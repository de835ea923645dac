import Logging
import Telemetry

/// One client of librdkafka from its making to its end. Used by its loop's thread alone.
protocol ClientSession {
    /// Serves what has come, waiting at most `ClientLoop.poll` for it; throws when only a new client helps.
    func step() throws(KafkaError)
    /// Lets go: after this nothing reaches the client.
    func close()
}

/// The life of a client that is rebuilt: build, serve, and after a fatal error or when the broker's address changed,
/// let go and build again after a pause that grows.
struct ClientLoop {
    static let poll = Duration.milliseconds(100)
    /// How often the broker's address is asked for.
    static let addressCheck = Duration.seconds(1)
    static let shortestPause = Duration.milliseconds(50)
    static let longestPause = Duration.seconds(2)
    /// A client that lived this long had no trouble of its own: the next one is built without delay.
    static let goodLife = Duration.seconds(10)

    let name: String
    let configuration: KafkaConfiguration
    let stop: StopSignal
    let logger: Logger

    /// Runs until `stop` is raised. Blocks. `idle` is called between two clients. Throws `.configuration` alone: settings
    /// that librdkafka refuses, it will refuse again.
    func run(
        _ open: (_ servers: String) throws(KafkaError) -> any ClientSession, idle: () -> Void = {}
    ) throws(KafkaError) {
        var pause = Self.shortestPause
        Measure.count(.kafkaClientsRebuilt, [("client", kind)], by: 0)
        while !stop.isRaised {
            let start = ContinuousClock.now
            do throws(KafkaError) {
                let servers = try resolve()
                let session = try open(servers)
                defer { session.close() }
                try serve(session, servers)
            } catch {
                if error.code == .configuration { throw error }
                logger.notice("kafka client ends", metadata: ["client": "\(name)", "reason": "\(error)"])
            }
            idle()
            if stop.isRaised { return }
            Measure.count(.kafkaClientsRebuilt, [("client", kind)])
            pause = ContinuousClock.now - start > Self.goodLife ? Self.shortestPause : min(pause * 2, Self.longestPause)
            stop.wait(pause)
        }
    }

    /// Without the names of groups and topics.
    private var kind: String { String(name.prefix { $0 != " " }) }

    private func serve(_ session: any ClientSession, _ servers: String) throws(KafkaError) {
        var checked = ContinuousClock.now
        while !stop.isRaised {
            try session.step()
            let now = ContinuousClock.now
            guard now - checked >= Self.addressCheck else { continue }
            checked = now
            // A file that is gone for a moment says nothing about the broker.
            if let current = try? resolve(), current != servers {
                throw KafkaError(.connection, "the broker has another address")
            }
        }
    }

    private func resolve() throws(KafkaError) -> String {
        do {
            return try configuration.bootstrap.resolve()
        } catch let error as KafkaError {
            throw error
        } catch {
            throw KafkaError(.connection, "the broker's address cannot be had")
        }
    }
}
