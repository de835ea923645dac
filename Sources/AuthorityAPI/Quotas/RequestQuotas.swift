import Synchronization

/// Keeps one authority process's callers within their quotas: of an account for one kind of operation, and of one user or
/// role for everything.
///
/// Processes do not know of each other's buckets: n of them together let n times as much through.
package final class RequestQuotas: Sendable {
    /// Buckets kept. One more drops those that are full, which changes nothing, and else the one that was used longest ago.
    package static let maximumBuckets = 10_000

    private struct Key: Hashable {
        let owner: String
        let quota: String
    }

    private let factor: Double
    private let limit: Int
    private let clock: @Sendable () -> Duration
    private let buckets = Mutex<[Key: (bucket: TokenBucket, usedAt: Duration)]>([:])

    /// - Parameters:
    ///   - percent: of AWS's defaults; above 0.
    ///   - clock: time since some moment, not running backwards.
    package init(
        percent: Int = 100, maximumBuckets: Int = RequestQuotas.maximumBuckets,
        clock: @escaping @Sendable () -> Duration = RequestQuotas.uptime
    ) {
        precondition(percent > 0 && maximumBuckets > 1, "Quotas that let nothing through are no quotas.")
        factor = Double(percent) / 100
        limit = maximumBuckets
        self.clock = clock
    }

    private static let start = ContinuousClock.now

    /// Time since this process first asked.
    package static let uptime: @Sendable () -> Duration = { ContinuousClock.now - start }

    /// Takes one call off each of the quotas, or off none where one is used up.
    package func admit(_ charges: [(owner: String, quota: RequestQuota)]) -> Bool {
        let now = clock()
        return buckets.withLock { buckets in
            for (owner, quota) in charges {
                let key = Key(owner: owner, quota: quota.name)
                guard buckets[key]?.bucket.has(now: now) ?? true else { return false }
            }
            for (owner, quota) in charges {
                let key = Key(owner: owner, quota: quota.name)
                if buckets[key] == nil { Self.makeRoom(in: &buckets, limit: limit, now: now) }
                var bucket = buckets[key]?.bucket ?? TokenBucket(tokensPerSecond: quota.callsPerSecond * factor, now: now)
                bucket.take(now: now)
                buckets[key] = (bucket, now)
            }
            return true
        }
    }

    package var count: Int { buckets.withLock { $0.count } }

    private static func makeRoom(
        in buckets: inout [Key: (bucket: TokenBucket, usedAt: Duration)], limit: Int, now: Duration
    ) {
        guard buckets.count >= limit else { return }
        buckets = buckets.filter { !$0.value.bucket.isFull(now: now) }
        guard buckets.count >= limit, let oldest = buckets.min(by: { $0.value.usedAt < $1.value.usedAt }) else { return }
        buckets[oldest.key] = nil
    }
}
