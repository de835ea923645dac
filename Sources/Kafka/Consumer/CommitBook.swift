/// Which offsets are to be committed, and who waits for it. Pure: says what to do, does nothing.
///
/// One commit is on its way at a time; what is asked for meanwhile goes together in the next.
package struct CommitBook<Waiter> {
    package struct Partition: Hashable {
        package let topic: String
        package let number: Int32

        package init(topic: String, number: Int32) {
            self.topic = topic
            self.number = number
        }
    }

    /// The offset to read next, by partition.
    package typealias Offsets = [Partition: Int64]

    package enum Action: Equatable {
        /// Send this commit.
        case issue(Offsets)
        /// Its turn comes; the waiter is kept.
        case wait
        /// As much is committed already.
        case done
    }

    private var inFlight: (offsets: Offsets, waiters: [Waiter])?
    private var next: (offsets: Offsets, waiters: [Waiter]) = ([:], [])
    private var committed: Offsets = [:]

    package init() {}

    package mutating func request(_ partition: Partition, next offset: Int64, waiter: Waiter) -> Action {
        if let done = committed[partition], done >= offset { return .done }
        next.offsets[partition] = max(offset, next.offsets[partition] ?? offset)
        next.waiters.append(waiter)
        guard inFlight == nil else { return .wait }
        inFlight = next
        next = ([:], [])
        return .issue(inFlight!.offsets)
    }

    /// The commit on its way was answered. Whoever waited for it is told; `issue` is to be sent next.
    package mutating func completed(successfully: Bool) -> (waiters: [Waiter], issue: Offsets?) {
        guard let answered = inFlight else { return ([], nil) }
        if successfully { committed.merge(answered.offsets) { max($0, $1) } }
        inFlight = next.waiters.isEmpty ? nil : next
        next = ([:], [])
        return (answered.waiters, inFlight?.offsets)
    }

    /// Partitions went to other members: what is committed there is no longer known.
    package mutating func forget(_ partitions: some Sequence<Partition>) {
        for partition in partitions { committed[partition] = nil }
    }

    /// The client is gone. Returns all who waited.
    package mutating func abandon() -> [Waiter] {
        let waiters = (inFlight?.waiters ?? []) + next.waiters
        self = CommitBook()
        return waiters
    }
}
