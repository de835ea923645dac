/// Runs `body` while all the leases hold. When one is lost, `body` is cancelled at once and ``KeyLeaseLost`` is thrown, whatever
/// `body` makes of its cancellation.
package func withKeyLeases<R: Sendable>(
    _ leases: [KeyLease], _ body: @escaping @Sendable () async throws -> R
) async throws -> R {
    for lease in leases { try lease.check() }
    let (losses, announce) = AsyncStream.makeStream(of: KeyLeaseLost.self, bufferingPolicy: .bufferingOldest(1))
    let handlers = leases.map { lease in (lease, lease.onLoss { announce.yield($0) }) }
    defer {
        for (lease, handler) in handlers { lease.forget(handler: handler) }
        announce.finish()
    }
    do {
        return try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await loss in losses { throw loss }
                return nil
            }
            defer { group.cancelAll() }
            // The watcher ends without a value only when this task is cancelled; then the body's word counts.
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    } catch {
        // The body may have stumbled over its wiped keys before the watcher spoke: the loss is the reason.
        for lease in leases { try lease.check() }
        throw error
    }
}
