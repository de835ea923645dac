/// Puts records that wait at the same time into one transaction, so that many callers share one flush to disk.
///
/// A caller is answered only after the write that holds its records has returned. While a write is under way, new
/// callers gather; they form the next one. Cancelling a caller does not take its records back: it learns the outcome.
package actor GroupCommit<Item: Sendable> {
    private struct Waiting {
        let items: [Item]
        let continuation: CheckedContinuation<Void, any Error>
    }

    private let maximumBatch: Int
    private let maximumWaiting: Int
    /// Whether a failed batch is worth writing one caller at a time: the fault lies in a record, not in the store.
    private let isFaultOfItem: @Sendable (any Error) -> Bool
    /// Whether a write that succeeded has left an item out, because what it tells of must not happen.
    private let isLeftOut: @Sendable (Item) -> Bool
    private let write: @Sendable ([Item]) async throws -> Void
    private var waiting: [Waiting] = []
    private var isWriting = false

    /// - Parameters:
    ///   - maximumBatch: callers in one write.
    ///   - maximumWaiting: callers that may wait for the next one; more are refused with `overloaded`.
    package init(
        maximumBatch: Int, maximumWaiting: Int, isFaultOfItem: @escaping @Sendable (any Error) -> Bool,
        isLeftOut: @escaping @Sendable (Item) -> Bool = { _ in false },
        write: @escaping @Sendable ([Item]) async throws -> Void
    ) {
        precondition(maximumBatch > 0 && maximumWaiting > 0, "A group commit needs room for at least one caller.")
        self.maximumBatch = maximumBatch
        self.maximumWaiting = maximumWaiting
        self.isFaultOfItem = isFaultOfItem
        self.isLeftOut = isLeftOut
        self.write = write
    }

    package func commit(_ items: [Item]) async throws {
        guard !items.isEmpty else { return }
        guard waiting.count < maximumWaiting else {
            throw AuditError(.overloaded, "The audit trail is overloaded; the request was not answered.")
        }
        try await withCheckedThrowingContinuation { continuation in
            waiting.append(Waiting(items: items, continuation: continuation))
            guard !isWriting else { return }
            isWriting = true
            // Not in the caller's own task: its cancellation would fail the records of everybody in the batch.
            // It lives only as long as somebody waits for it.
            Task { await self.drain() }
        }
    }

    /// Callers whose records no write has taken up yet.
    package var waitingCallers: Int { waiting.count }

    private func drain() async {
        while !waiting.isEmpty {
            let batch = Array(waiting.prefix(maximumBatch))
            waiting.removeFirst(batch.count)
            do {
                try await write(batch.flatMap(\.items))
                for entry in batch { settle(entry) }
            } catch  where batch.count > 1 && isFaultOfItem(error) {
                for entry in batch { await writeAlone(entry) }
            } catch {
                for entry in batch { entry.continuation.resume(throwing: error) }
            }
        }
        isWriting = false
    }

    /// One caller's bad record must not cost the others their answers.
    private func writeAlone(_ entry: Waiting) async {
        do {
            try await write(entry.items)
            settle(entry)
        } catch {
            entry.continuation.resume(throwing: error)
        }
    }

    private func settle(_ entry: Waiting) {
        if entry.items.contains(where: isLeftOut) {
            entry.continuation.resume(throwing: AuditError.outdated)
        } else {
            entry.continuation.resume()
        }
    }
}
