import Synchronization

/// What the caches of one process have in common: whether they may be believed, and what has to be forgotten.
///
/// Two locks on one door. Entries are dropped when their scope is announced as changed, and all of them when nothing is heard for
/// `trustPeriod`. And whatever was taken from an entry is compared with the database when the request is recorded
/// (`Reliance`). The second alone is enough for safety; the first keeps secrets no longer than needed and spares vain decisions.
package final class CacheBoard: Sendable {
    /// Silence after which nothing is believed any more.
    package static let trustPeriod: Duration = .seconds(3)

    private struct State {
        var caches: [any ScopedCache] = []
        var heardAt: ContinuousClock.Instant?
        var onChange: (@Sendable (Scope) -> Void)?
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> ContinuousClock.Instant

    /// A board that has heard nothing yet: its caches stay empty.
    package init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.now = now }

    // MARK: Hearing

    /// The channel of announcements works: something came over it.
    package func heard() {
        let now = now()
        state.withLock { $0.heardAt = now }
    }

    /// Whether something was heard lately.
    package var isTrusted: Bool {
        guard let heardAt = state.withLock({ $0.heardAt }) else { return false }
        return heardAt.duration(to: now()) < Self.trustPeriod
    }

    /// Forgets everything once the channel is silent, so that secrets do not lie about.
    package func forgetIfSilent() {
        if !isTrusted { forgetAll() }
    }

    // MARK: Forgetting

    package func forget(_ scope: Scope) {
        guard scope != .everything else { return forgetAll() }
        for cache in state.withLock({ $0.caches }) { cache.forget(scope) }
    }

    package func forgetAll() {
        for cache in state.withLock({ $0.caches }) { cache.forgetAll() }
    }

    /// A transaction of this process has changed something: forgotten here at once, and told to the others.
    package func changed(_ scope: Scope) {
        forget(scope)
        state.withLock { $0.onChange }?(scope)
    }

    func onChange(_ body: @escaping @Sendable (Scope) -> Void) { state.withLock { $0.onChange = body } }

    func add(_ cache: any ScopedCache) { state.withLock { $0.caches.append(cache) } }

    var clock: @Sendable () -> ContinuousClock.Instant { now }

    // MARK: Deciding

    /// Runs a request with the caches; where what it took from them was not proven by the time it has its answer, the answer
    /// is thrown away and the request runs again, reading everything from the database.
    ///
    /// A request that was recorded is proven. One that was not has had no effect, so it may run twice; a fault of the
    /// authority's own tells nothing and is not worth it.
    package nonisolated(nonsending) func deciding<R, E: Error>(
        isFault: (E) -> Bool = { _ in false }, _ request: nonisolated(nonsending) () async throws(E) -> R
    ) async throws(E) -> R {
        if isTrusted {
            let reliance = Reliance(board: self)
            let outcome = await Reliance.$current.withValue(reliance) { await Self.outcome(request) }
            if reliance.isProven { return try outcome.get() }
            if case .failure(let error) = outcome, !reliance.isRefuted, isFault(error) { throw error }
        }
        return try await Reliance.$current.withValue(nil) { await Self.outcome(request) }.get()
    }

    private nonisolated(nonsending) static func outcome<R, E: Error>(
        _ request: nonisolated(nonsending) () async throws(E) -> R
    ) async -> Result<R, E> {
        do {
            return .success(try await request())
        } catch {
            return .failure(error)
        }
    }
}

/// A cache that knows which scopes its entries rest on.
protocol ScopedCache: Sendable {
    func forget(_ scope: Scope)
    func forgetAll()
}
