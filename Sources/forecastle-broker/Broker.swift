import ArgumentParser
import CLinux
import Glibc
import Kafka
import Logging

/// The embedded development broker: Kafka's protocol on loopback, everything in memory.
@main
struct Broker: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forecastle-broker",
        abstract: "An in-memory broker that speaks the Kafka protocol, for development.",
        discussion: "What it holds is gone when it stops. It listens on a free loopback port and writes the address to "
            + "DIR/broker.address. It ends on SIGTERM and SIGINT.")

    @Option(help: ArgumentHelp("Folder for broker.address; one broker a folder.", valueName: "dir"))
    var data: String

    @Option(help: "Partitions of the topics named by --topic.")
    var partitions: Int = 4

    @Option(
        name: .customLong("topic"),
        help: ArgumentHelp("Topic to make at once. Others are made with four partitions at their first use.", valueName: "name"))
    var topics: [String] = []

    @Option(
        help: ArgumentHelp(
            "End when this process, which must be the parent, does (also: FORECASTLE_PARENT).", valueName: "pid"))
    var parent: Int32?

    @Option(help: "Brokers of the cluster.")
    var brokers: Int = 1

    @Flag(help: ArgumentHelp("Take orders of faults from the pipe DIR/broker.orders; for chaos runs.", visibility: .hidden))
    var takesOrders = false

    func validate() throws {
        guard (1...16).contains(brokers) else { throw ValidationError("--brokers is not between 1 and 16") }
        guard (1...64).contains(partitions) else { throw ValidationError("--partitions is not between 1 and 64") }
    }

    func run() throws {
        // Before anything else, so that no moment is left in which the parent's end goes unseen.
        let parent = parent ?? getenv("FORECASTLE_PARENT").flatMap { Int32(String(cString: $0)) }
        if let parent, clinux_die_with_parent(SIGTERM, parent) != 0 {
            throw Failure("the parent process has already ended")
        }
        // Blocked before the broker starts its threads, which inherit it: the signals come to sigwait alone.
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        let folder = try DataFolder(data)
        let broker = try EmbeddedBroker(
            brokers: brokers, topics: Dictionary(topics.map { ($0, partitions) }) { first, _ in first },
            logger: Logger(label: "forecastle-broker", factory: { StreamLogHandler.standardError(label: $0) }))
        if takesOrders { try BrokerOrders(pipe: data + "/broker.orders").take(for: broker) }
        try folder.publish(address: broker.bootstrap)
        print("forecastle-broker: in-memory broker at \(broker.bootstrap), address in \(folder.addressPath)")
        fflush(nil)

        var signal: Int32 = 0
        sigwait(&signals, &signal)
        folder.withdrawAddress()
        broker.stop()
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
