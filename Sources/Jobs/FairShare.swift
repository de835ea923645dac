package import FoundationEssentials

/// Which queues the free slots of a worker go to. Pure; the statements of a claim carry it out as it says.
///
/// The most urgent priority goes first. Within one, each slot goes to the account that has the fewest tasks at work, and
/// among equals to the one whose oldest task waits longest: a thousand jobs of one customer then cost another's single job
/// one slot's time, whoever came first.
package enum FairShare {
    /// What an account has ready of one kind and priority.
    package struct Queue: Sendable, Hashable {
        package let kind: JobKind
        package let priority: TaskPriority
        package let account: String
        /// Tasks that are due; counted up to the slots that are free.
        package let due: Int
        /// When the first of them became due.
        package let oldest: Date

        package init(kind: JobKind, priority: TaskPriority, account: String, due: Int, oldest: Date) {
            self.kind = kind
            self.priority = priority
            self.account = account
            self.due = due
            self.oldest = oldest
        }
    }

    /// - Parameters:
    ///   - running: tasks at work now, by account.
    ///   - accountTasksMax: what ends a job (`TaskPriority.ending`) counts, but is not held up by it.
    /// - Returns: how many tasks to take of each queue, in the order of `queues`.
    package static func shares(
        of slots: Int, among queues: [Queue], running: [String: Int], accountTasksMax: Int? = nil
    ) -> [Int] {
        var shares = [Int](repeating: 0, count: queues.count)
        var atWork = running
        var free = slots
        for priority in Set(queues.map(\.priority)).sorted() {
            let most = priority == .ending ? Int.max : accountTasksMax ?? .max
            // Oldest first, so that the first of equals is the one that waits longest.
            var open = queues.indices.filter { queues[$0].priority == priority && queues[$0].due > 0 }
                .sorted { isOlder(queues[$0], queues[$1]) }
            while free > 0 {
                open.removeAll { shares[$0] >= queues[$0].due || atWork[queues[$0].account, default: 0] >= most }
                guard let next = open.min(by: { atWork[queues[$0].account, default: 0] < atWork[queues[$1].account, default: 0] })
                else { break }
                let account = queues[next].account
                // Alone it need not be asked again for each slot.
                let count =
                    open.count > 1 ? 1 : min(free, queues[next].due - shares[next], most - atWork[account, default: 0])
                shares[next] += count
                atWork[account, default: 0] += count
                free -= count
            }
        }
        return shares
    }

    private static func isOlder(_ one: Queue, _ other: Queue) -> Bool {
        (one.oldest, one.account, one.kind.rawValue) < (other.oldest, other.account, other.kind.rawValue)
    }
}
