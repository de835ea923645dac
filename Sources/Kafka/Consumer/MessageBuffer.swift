import Synchronization

/// What a consumer's thread has read and its user has not taken yet. One reader.
///
/// The thread never waits: it asks `isFull` and pauses fetching, so that it goes on polling, and stays in its group,
/// however long the user works on one message.
package final class MessageBuffer<Element: Sendable>: Sendable {
    /// Above either of these the partitions are paused; below half of both they go on.
    package static var messagesWhenFull: Int { 500 }
    package static var bytesWhenFull: Int { 8 << 20 }

    private struct State {
        var elements: [(element: Element, bytes: Int)] = []
        var head = 0
        var bytes = 0
        var isFinished = false
        var reader: CheckedContinuation<Element?, Never>?
        var count: Int { elements.count - head }
    }

    private let state = Mutex(State())

    package init() {}

    package func push(_ element: Element, bytes: Int) {
        let reader: CheckedContinuation<Element?, Never>? = state.withLock { state in
            if state.isFinished { return nil }
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            state.elements.append((element, bytes))
            state.bytes += bytes
            return nil
        }
        reader?.resume(returning: element)
    }

    package var isFull: Bool {
        state.withLock { $0.count >= Self.messagesWhenFull || $0.bytes >= Self.bytesWhenFull }
    }

    package var isHalfEmpty: Bool {
        state.withLock { $0.count <= Self.messagesWhenFull / 2 && $0.bytes <= Self.bytesWhenFull / 2 }
    }

    /// The next element; nil after `finish()` once all are taken, or when the task is cancelled.
    package func next() async -> Element? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { reader in
                let (isAnswered, element) = take(or: reader)
                if isAnswered { reader.resume(returning: element) } else if Task.isCancelled { release() }
            }
        } onCancel: {
            release()
        }
    }

    package func finish() {
        state.withLock { $0.isFinished = true }
        release()
    }

    private func take(or reader: CheckedContinuation<Element?, Never>) -> (isAnswered: Bool, Element?) {
        state.withLock { state in
            if state.head < state.elements.count {
                let (element, bytes) = state.elements[state.head]
                state.head += 1
                state.bytes -= bytes
                if state.head == state.elements.count || state.head >= Self.messagesWhenFull {
                    state.elements.removeFirst(state.head)
                    state.head = 0
                }
                return (true, element)
            }
            if state.isFinished { return (true, nil) }
            precondition(state.reader == nil, "messages are read by one task")
            state.reader = reader
            return (false, nil)
        }
    }

    private func release() {
        let reader = state.withLock { state in
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }
}

extension MessageBuffer {
    var stream: AsyncStream<Element> { AsyncStream { await self.next() } }
}
