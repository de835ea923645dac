import CLibrdkafka
import Synchronization

struct OutboundMessage: Sendable {
    let topic: String
    let key: [UInt8]?
    let value: [UInt8]
    let traceparent: String?
    let deadline: ContinuousClock.Instant
}

/// What was handed to `send` and has no answer yet, and the client of the moment that it goes through.
///
/// A client is used only under this lock and is let go after `detach()`, so no call meets one that is gone. librdkafka
/// only queues in `produce` and never calls back from it, so the lock is held for a copy of the message at most.
final class Outbound: Sendable {
    private typealias Sender = CheckedContinuation<Void, any Error>

    private struct State {
        var client: Client?
        var isClosed = false
        var nextID: UInt = 1
        /// Handed to the client.
        var pending: [UInt: Sender] = [:]
        /// Waiting for one.
        var waiting: [UInt: (message: OutboundMessage, sender: Sender)] = [:]
    }

    /// A producer's `rd_kafka_t`: thread-safe by librdkafka's word, alive until `detach()` by its session's.
    struct Client: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    private let state = Mutex(State())

    func send(_ message: OutboundMessage) async throws {
        let id = state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { sender in
                accept(message, id: id, sender: sender)
                // Cancelled before the handler could find it.
                if Task.isCancelled { answer(id, CancellationError()) }
            }
        } onCancel: {
            answer(id, CancellationError())
        }
    }

    private func accept(_ message: OutboundMessage, id: UInt, sender: Sender) {
        let refusal: KafkaError? = state.withLock { state in
            if state.isClosed { return KafkaError(.closed, "the producer was stopped") }
            if state.pending.count + state.waiting.count >= KafkaProducer.maximumPending {
                return KafkaError(.queueFull, "\(KafkaProducer.maximumPending) messages are on their way")
            }
            guard let client = state.client else {
                state.waiting[id] = (message, sender)
                return nil
            }
            let result = produce(message, id: id, client)
            if result == RD_KAFKA_RESP_ERR_NO_ERROR { state.pending[id] = sender }
            return result == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(result, "publishing")
        }
        if let refusal { sender.resume(throwing: refusal) }
    }

    /// A client is there: hands it what waited.
    func attach(_ client: Client) {
        let refused = state.withLock { state in
            var refused: [(Sender, KafkaError)] = []
            state.client = client
            for (id, entry) in state.waiting.sorted(by: { $0.key < $1.key }) {
                let result = produce(entry.message, id: id, client)
                if result == RD_KAFKA_RESP_ERR_NO_ERROR {
                    state.pending[id] = entry.sender
                } else {
                    refused.append((entry.sender, KafkaError(result, "publishing")))
                }
            }
            state.waiting = [:]
            return refused
        }
        for (sender, error) in refused { sender.resume(throwing: error) }
    }

    /// From here on nobody reaches the client but its session.
    func detach() { state.withLock { $0.client = nil } }

    func delivered(_ id: UInt, _ error: rd_kafka_resp_err_t) {
        answer(id, error == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(error, "publishing"))
    }

    /// The client is gone: what it had not answered may or may not have arrived.
    func abandonPending() {
        let senders = state.withLock { state in
            defer { state.pending = [:] }
            return state.pending.values
        }
        for sender in senders { sender.resume(throwing: KafkaError(.fatal, "the client was rebuilt")) }
    }

    /// Answers what waits for a client and is past its deadline.
    func expire(at now: ContinuousClock.Instant) {
        let senders = state.withLock { state in
            let late = state.waiting.filter { $0.value.message.deadline <= now }
            for id in late.keys { state.waiting[id] = nil }
            return late.values.map(\.sender)
        }
        for sender in senders { sender.resume(throwing: KafkaError(.connection, "no broker could be reached in time")) }
    }

    func close() {
        let senders = state.withLock { state in
            state.isClosed = true
            defer { (state.waiting, state.pending) = ([:], [:]) }
            return state.waiting.values.map(\.sender) + state.pending.values
        }
        for sender in senders { sender.resume(throwing: KafkaError(.closed, "the producer was stopped")) }
    }

    private func answer(_ id: UInt, _ error: (any Error)?) {
        let sender = state.withLock { $0.pending.removeValue(forKey: id) ?? $0.waiting.removeValue(forKey: id)?.sender }
        guard let sender else { return }
        if let error { sender.resume(throwing: error) } else { sender.resume() }
    }
}

/// Queues a copy of the message in the client.
private func produce(_ message: OutboundMessage, id: UInt, _ client: Outbound.Client) -> rd_kafka_resp_err_t {
    var trace = message.traceparent ?? ""
    return trace.withUTF8 { trace in
        produce(message, id: id, trace: message.traceparent == nil ? nil : UnsafeRawBufferPointer(trace), client)
    }
}

private func produce(
    _ message: OutboundMessage, id: UInt, trace: UnsafeRawBufferPointer?, _ client: Outbound.Client
) -> rd_kafka_resp_err_t {
    message.topic.withCString { topic in
        message.value.withUnsafeBytes { value in
            (message.key ?? []).withUnsafeBytes { key in
                var arguments = [
                    rd_kafka_vu_t(vtype: RD_KAFKA_VTYPE_TOPIC, u: .init(cstr: topic)),
                    rd_kafka_vu_t(vtype: RD_KAFKA_VTYPE_MSGFLAGS, u: .init(i: RD_KAFKA_MSG_F_COPY)),
                    rd_kafka_vu_t(vtype: RD_KAFKA_VTYPE_VALUE, u: .init(mem: memory(value))),
                    rd_kafka_vu_t(vtype: RD_KAFKA_VTYPE_OPAQUE, u: .init(ptr: UnsafeMutableRawPointer(bitPattern: id))),
                ]
                if message.key != nil {
                    arguments.append(rd_kafka_vu_t(vtype: RD_KAFKA_VTYPE_KEY, u: .init(mem: memory(key))))
                }
                return KafkaProducer.traceHeader.withCString { name in
                    if let trace {
                        let header = rd_kafka_vu_t.__Unnamed_union_u.__Unnamed_struct_header(
                            name: name, val: trace.baseAddress, size: trace.count)
                        arguments.append(rd_kafka_vu_t(vtype: RD_KAFKA_VTYPE_HEADER, u: .init(header: header)))
                    }
                    guard let error = rd_kafka_produceva(client.pointer, arguments, arguments.count) else {
                        return RD_KAFKA_RESP_ERR_NO_ERROR
                    }
                    defer { rd_kafka_error_destroy(error) }
                    return outcome(rd_kafka_error_code(error), of: client.pointer)
                }
            }
        }
    }
}

private func memory(_ bytes: UnsafeRawBufferPointer) -> rd_kafka_vu_t.__Unnamed_union_u.__Unnamed_struct_mem {
    .init(ptr: UnsafeMutableRawPointer(mutating: bytes.baseAddress), size: bytes.count)
}
