import CLibrdkafka
import Synchronization

/// Commits of one consumer group client: the book, and the client of the moment, under one lock.
///
/// `rd_kafka_commit` only queues when asynchronous, and its callback comes by the poll, never from within.
final class Commits: Sendable {
    private typealias Waiter = CheckedContinuation<Void, any Error>

    /// A consumer's `rd_kafka_t`: thread-safe by librdkafka's word, alive until `detach()` by its session's.
    struct Client: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    private struct State {
        var client: Client?
        var book = CommitBook<Waiter>()
    }

    private let state = Mutex(State())

    func attach(_ client: Client) { state.withLock { $0.client = client } }

    /// From here on nobody reaches the client but its session. Who waited gets a retriable error.
    func detach() {
        let waiters = state.withLock { state in
            state.client = nil
            return state.book.abandon()
        }
        for waiter in waiters { waiter.resume(throwing: KafkaError(.group, "the consumer was rebuilt")) }
    }

    func commit(_ message: KafkaMessage) async throws {
        try await withCheckedThrowingContinuation { waiter in
            enum Outcome {
                case kept
                case done
                case failed(KafkaError)
            }
            let outcome: Outcome = state.withLock { state in
                guard let client = state.client else { return .failed(KafkaError(.connection, "no client to commit with")) }
                let partition = CommitBook<Waiter>.Partition(topic: message.topic, number: message.partition)
                switch state.book.request(partition, next: message.offset + 1, waiter: waiter) {
                case .done: return .done
                case .wait: return .kept
                case .issue(let offsets):
                    let result = issue(offsets, client)
                    guard result != RD_KAFKA_RESP_ERR_NO_ERROR else { return .kept }
                    // Nothing was on its way, so this waiter is the only one.
                    _ = state.book.completed(successfully: false)
                    return .failed(KafkaError(result, "committing"))
                }
            }
            switch outcome {
            case .kept: break
            case .done: waiter.resume()
            case .failed(let error): waiter.resume(throwing: error)
            }
        }
    }

    /// The answer to the commit on its way.
    func committed(_ error: rd_kafka_resp_err_t) {
        var error = error
        while true {
            let (waiters, failure) = state.withLock { state in
                let (waiters, next) = state.book.completed(successfully: error == RD_KAFKA_RESP_ERR_NO_ERROR)
                guard let next, let client = state.client else { return (waiters, RD_KAFKA_RESP_ERR_NO_ERROR) }
                return (waiters, issue(next, client))
            }
            for waiter in waiters {
                if error == RD_KAFKA_RESP_ERR_NO_ERROR {
                    waiter.resume()
                } else {
                    waiter.resume(throwing: KafkaError(error, "committing"))
                }
            }
            // The next one could not even be sent: that is its answer.
            if failure == RD_KAFKA_RESP_ERR_NO_ERROR { return }
            error = failure
        }
    }

    func forget(_ partitions: [(topic: String, number: Int32)]) {
        state.withLock { $0.book.forget(partitions.map { .init(topic: $0.topic, number: $0.number) }) }
    }

    private func issue(_ offsets: CommitBook<Waiter>.Offsets, _ client: Client) -> rd_kafka_resp_err_t {
        let list = PartitionList()
        for (partition, offset) in offsets { list.add(partition.topic, partition.number, offset: offset) }
        return rd_kafka_commit(client.pointer, list.pointer, 1)
    }
}
