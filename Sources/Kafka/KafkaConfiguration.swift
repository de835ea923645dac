/// How to reach Kafka. `extra` takes any setting of librdkafka by its own name (`security.protocol`, `ssl.ca.location`,
/// …) except those on which the promises of the clients rest.
package struct KafkaConfiguration: Sendable {
    package var bootstrap: KafkaBootstrap
    package var clientID: String
    package var extra: [String: String]

    /// How long `send` waits for the acknowledgement, with all retries.
    package var deliveryTimeout: Duration = .seconds(10)
    /// After this long without a sign of life a member's partitions go to others.
    package var sessionTimeout: Duration = .seconds(30)
    /// How long a broker holds a fetch for which it has no data.
    package var fetchWait: Duration = .milliseconds(500)
    /// The same for whoever reads the end of a topic.
    package var tailFetchWait: Duration = .milliseconds(500)
    /// How often topics and partitions are looked up again.
    package var metadataRefresh: Duration = .seconds(30)

    package init(bootstrap: KafkaBootstrap, clientID: String, extra: [String: String] = [:]) {
        self.bootstrap = bootstrap
        self.clientID = clientID
        self.extra = extra
    }

    /// For the embedded broker: its fetches do not wake when data arrive, so they must be short, and a member that died
    /// holds up its group for a session.
    package static func embedded(bootstrap: KafkaBootstrap, clientID: String) -> KafkaConfiguration {
        var configuration = KafkaConfiguration(bootstrap: bootstrap, clientID: clientID)
        configuration.sessionTimeout = .seconds(6)
        configuration.fetchWait = .milliseconds(6)
        // What is told there (stops, withdrawn rights) is heard by the next beat or renewal anyway, and every process asks.
        configuration.tailFetchWait = .milliseconds(20)
        configuration.metadataRefresh = .seconds(2)
        return configuration
    }

    /// Throws `.configuration` naming the offending setting.
    package func validate() throws(KafkaError) {
        for (name, value, range) in [
            ("deliveryTimeout", deliveryTimeout, Duration.milliseconds(100)...Duration.seconds(300)),
            ("sessionTimeout", sessionTimeout, Duration.seconds(1)...Duration.seconds(300)),
            ("fetchWait", fetchWait, Duration.milliseconds(1)...Duration.seconds(5)),
            ("tailFetchWait", tailFetchWait, Duration.milliseconds(1)...Duration.seconds(5)),
            ("metadataRefresh", metadataRefresh, Duration.milliseconds(100)...Duration.seconds(600)),
        ] where !range.contains(value) {
            throw KafkaError(.configuration, "\(name) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        if clientID.isEmpty { throw KafkaError(.configuration, "clientID is empty") }
        if let name = extra.keys.sorted().first(where: Self.reserved.contains) {
            throw KafkaError(.configuration, "\(name) is set by Forecastle itself")
        }
    }

    private static let reserved: Set<String> = [
        "bootstrap.servers", "metadata.broker.list", "client.id", "enable.idempotence", "acks", "request.required.acks",
        "message.timeout.ms", "delivery.timeout.ms", "group.id", "enable.auto.commit", "auto.commit.enable",
        "enable.auto.offset.store", "auto.offset.reset", "partition.assignment.strategy", "session.timeout.ms",
        "transactional.id", "test.mock.num.brokers", "log.queue",
    ]
}

extension KafkaConfiguration {
    /// Settings of all clients. `servers` is what `bootstrap` answered.
    func common(_ servers: String) -> [String: String] {
        var settings = [
            "socket.keepalive.enable": "true",
            "reconnect.backoff.ms": "50",
            "reconnect.backoff.max.ms": "1000",
            "topic.metadata.refresh.interval.ms": "\(metadataRefresh.milliseconds)",
        ]
        settings.merge(extra) { $1 }
        settings["bootstrap.servers"] = servers
        settings["client.id"] = clientID
        return settings
    }

    func producer(_ servers: String) -> [String: String] {
        common(servers).merging([
            "enable.idempotence": "true",
            "acks": "all",
            "message.timeout.ms": "\(deliveryTimeout.milliseconds)",
            "queue.buffering.max.messages": "\(KafkaProducer.maximumPending)",
            // What is sent at the same time goes together anyway; somebody waits for a doorbell.
            "linger.ms": "0",
        ]) { $1 }
    }

    func consumer(_ servers: String, group: String, reset: String, fetchWait: Duration) -> [String: String] {
        common(servers).merging([
            "group.id": group,
            "enable.auto.commit": "false",
            "enable.auto.offset.store": "false",
            "auto.offset.reset": reset,
            // Not cooperative-sticky: librdkafka before 2.3 (Debian 12 has 2.0.2) aborts the process where a client with it is
            // closed between joining the group and its first assignment.
            "partition.assignment.strategy": "roundrobin",
            "session.timeout.ms": "\(sessionTimeout.milliseconds)",
            "heartbeat.interval.ms": "\(max(300, sessionTimeout.milliseconds / 6))",
            "fetch.wait.max.ms": "\(fetchWait.milliseconds)",
            // What librdkafka holds beside our own buffer.
            "queued.max.messages.kbytes": "16384",
            "allow.auto.create.topics": "true",
        ]) { $1 }
    }
}

extension Duration {
    var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
