import CLibrdkafka
import Logging
import Synchronization

/// What the callbacks of one librdkafka client reach. Subclasses add what is theirs.
///
/// `@unchecked Sendable` for the subclasses: librdkafka calls back on the thread that polls, except for the log, which
/// touches only `logger`; all else here is atomic.
class ClientContext: @unchecked Sendable {
    let logger: Logger
    private let fatal = Atomic<Bool>(false)
    private let brokersDown = Atomic<Bool>(false)
    private let distrustToldAt = Mutex<ContinuousClock.Instant?>(nil)

    /// A broker that is not trusted is tried again each second: how often that is said.
    static let distrustInterval: Duration = .seconds(30)

    init(logger: Logger) { self.logger = logger }

    var isFatal: Bool { fatal.load(ordering: .acquiring) }

    /// Whether all brokers were lost since the last call.
    func takeBrokersDown() -> Bool { brokersDown.exchange(false, ordering: .acquiringAndReleasing) }

    /// - Parameter reason: in librdkafka's words, which hold addresses and no secrets.
    func failed(_ raw: rd_kafka_resp_err_t, reason: String = "") {
        let metadata: Logger.Metadata = ["error": "\(String(cString: rd_kafka_err2name(raw)))"]
        switch raw {
        case RD_KAFKA_RESP_ERR__FATAL:
            fatal.store(true, ordering: .releasing)
            logger.debug("kafka client is rebuilt", metadata: metadata)
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
            brokersDown.store(true, ordering: .releasing)
            logger.warning("no kafka broker answers", metadata: metadata)
        case RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR__AUTHENTICATION:
            let isDue = distrustToldAt.withLock { toldAt in
                if let before = toldAt, before.duration(to: .now) < Self.distrustInterval { return false }
                toldAt = .now
                return true
            }
            guard isDue else { return }
            logger.error(
                "a kafka broker is not trusted or does not trust us: kafka.security_protocol, kafka.ca_file, its names, its expiry?",
                metadata: metadata.merging(["reason": "\(reason)"]) { $1 })
        default:
            logger.debug("kafka client reports", metadata: metadata)
        }
    }

    /// A report on a message that was to be published; `id` is what `produce` was given.
    func delivered(id: UInt, error: rd_kafka_resp_err_t) {}
    /// The answer to an asynchronous commit.
    func committed(error: rd_kafka_resp_err_t) {}
    /// The group's decision. Must assign or unassign before it returns.
    func rebalanced(_ client: OpaquePointer, event: rd_kafka_resp_err_t, partitions: OpaquePartitions) {}
}

typealias OpaquePartitions = UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

extension ClientContext {
    static func of(_ opaque: UnsafeMutableRawPointer?) -> ClientContext? {
        opaque.map { Unmanaged<ClientContext>.fromOpaque($0).takeUnretainedValue() }
    }
}

// Callbacks: file-private, without captures; they copy out what they need and return.

func onLog(client: OpaquePointer?, level: Int32, facility: UnsafePointer<CChar>?, text: UnsafePointer<CChar>?) {
    guard let client, let context = ClientContext.of(rd_kafka_opaque(client)), let text else { return }
    let facility = facility.map { String(cString: $0) } ?? ""
    context.logger.log(
        level: logLevel(syslog: level, facility: facility), "\(String(cString: text))", metadata: ["facility": "\(facility)"])
}

/// Syslog's levels as ours. A lost connection is tried again without end and told of once by `failed(_:)`: at its own
/// level it would fill the log while a broker is away. Remarks on settings are for whoever chose them: us.
private func logLevel(syslog: Int32, facility: String) -> Logger.Level {
    if facility == "FAIL" || facility == "ERROR" || facility == "CONFWARN" { return .debug }
    return switch syslog {
    case ...3: .error
    case 4: .warning
    case 5: .notice
    case 6: .info
    default: .debug
    }
}

func onError(client: OpaquePointer?, error: Int32, reason: UnsafePointer<CChar>?, opaque: UnsafeMutableRawPointer?) {
    guard let context = ClientContext.of(opaque) else { return }
    let raw = rd_kafka_resp_err_t(rawValue: error)
    // "Fatal" alone says nothing: what was fatal stands in the client.
    if raw == RD_KAFKA_RESP_ERR__FATAL, let client {
        let reason = String(cString: rd_kafka_err2name(rd_kafka_fatal_error(client, nil, 0)))
        context.logger.error("kafka client met a fatal error", metadata: ["error": "\(reason)"])
    }
    context.failed(raw, reason: reason.map { String(cString: $0) } ?? "")
}

func onDelivery(
    client: OpaquePointer?, message: UnsafePointer<rd_kafka_message_t>?, opaque: UnsafeMutableRawPointer?
) {
    guard let client, let message = message?.pointee else { return }
    ClientContext.of(opaque)?.delivered(id: UInt(bitPattern: message._private), error: outcome(message.err, of: client))
}

/// What a message came to. A client that failed for good fails and refuses messages by whatever was fatal, even where a new client
/// would not meet it.
func outcome(_ error: rd_kafka_resp_err_t, of client: OpaquePointer) -> rd_kafka_resp_err_t {
    let isFatal = rd_kafka_fatal_error(client, nil, 0) != RD_KAFKA_RESP_ERR_NO_ERROR
    return error != RD_KAFKA_RESP_ERR_NO_ERROR && isFatal ? RD_KAFKA_RESP_ERR__FATAL : error
}

func onCommit(
    client: OpaquePointer?, error: rd_kafka_resp_err_t, partitions: OpaquePartitions?, opaque: UnsafeMutableRawPointer?
) {
    var first = error
    if let list = partitions?.pointee, let elements = list.elems, first == RD_KAFKA_RESP_ERR_NO_ERROR {
        for index in 0..<Int(list.cnt) where elements[index].err != RD_KAFKA_RESP_ERR_NO_ERROR { first = elements[index].err }
    }
    ClientContext.of(opaque)?.committed(error: first)
}

func onRebalance(
    client: OpaquePointer?, event: rd_kafka_resp_err_t, partitions: OpaquePartitions?, opaque: UnsafeMutableRawPointer?
) {
    guard let client, let partitions else { return }
    ClientContext.of(opaque)?.rebalanced(client, event: event, partitions: partitions)
}
