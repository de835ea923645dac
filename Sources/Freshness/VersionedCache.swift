import Synchronization

/// Values by key, each with the versions it was read under.
///
/// Bounded: beyond `maximumEntries` one that is drawn by lot makes room. A value that holds a secret wipes it when it is let go of:
/// at the latest when the request that uses it at that moment ends.
package final class VersionedCache<Key: Hashable & Sendable, Value: Sendable>: ScopedCache {
    private struct Entry {
        let value: Value
        let versions: ScopeVersions
        let until: ContinuousClock.Instant?
        /// Position in `State.keys`.
        var position: Int
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var keys: [Key] = []
        var byScope: [Scope: Set<Key>] = [:]
    }

    /// A value that was found and not yet relied on.
    package struct Finding {
        package let value: Value
        fileprivate let versions: ScopeVersions
        fileprivate let reliance: Reliance

        /// The value goes into the decision.
        package func rely() -> Value {
            reliance.rely(on: versions)
            return value
        }
    }

    private let board: CacheBoard
    private let maximumEntries: Int
    private let state = Mutex(State())

    package init(board: CacheBoard, maximumEntries: Int) {
        precondition(maximumEntries > 0, "A cache has room for one entry at least.")
        self.board = board
        self.maximumEntries = maximumEntries
        board.add(self)
    }

    /// The clock by which entries end.
    package var now: ContinuousClock.Instant { board.clock() }

    package var count: Int { state.withLock { $0.entries.count } }

    /// Nil where there is no such entry, where no request is at hand that could be decided anew, or where the channel is silent.
    package func find(_ key: Key) -> Finding? {
        guard let reliance = Reliance.current, board.isTrusted else { return nil }
        let now = board.clock()
        let entry = state.withLock { state -> Entry? in
            guard let entry = state.entries[key] else { return nil }
            guard entry.until.map({ now < $0 }) ?? true else {
                Self.remove(key, from: &state)
                return nil
            }
            return entry
        }
        return entry.map { Finding(value: $0.value, versions: $0.versions, reliance: reliance) }
    }

    /// The value, which goes into the decision at once.
    package func value(_ key: Key) -> Value? { find(key)?.rely() }

    /// Keeps what was read from the database after `versions`, and relies on it.
    package func keep(
        _ value: Value, for key: Key, under versions: ScopeVersions, until: ContinuousClock.Instant? = nil
    ) {
        guard let reliance = Reliance.current, board.isTrusted else { return }
        reliance.rely(on: versions)
        // Let go of outside the lock: an entry may hold what takes long to free.
        let displaced = state.withLock { state -> [Entry] in
            var displaced: [Entry] = []
            if let old = Self.remove(key, from: &state) { displaced.append(old) }
            if state.entries.count >= maximumEntries, let victim = state.keys.randomElement(),
                let old = Self.remove(victim, from: &state)
            {
                displaced.append(old)
            }
            state.entries[key] = Entry(value: value, versions: versions, until: until, position: state.keys.count)
            state.keys.append(key)
            for scope in versions.keys where scope != .everything { state.byScope[scope, default: []].insert(key) }
            return displaced
        }
        withExtendedLifetime(displaced) {}
    }

    func forget(_ scope: Scope) {
        let dropped = state.withLock { state in
            (state.byScope[scope] ?? []).compactMap { Self.remove($0, from: &state) }
        }
        withExtendedLifetime(dropped) {}
    }

    func forgetAll() {
        let dropped = state.withLock { state in
            defer { state = State() }
            return state.entries
        }
        withExtendedLifetime(dropped) {}
    }

    @discardableResult
    private static func remove(_ key: Key, from state: inout State) -> Entry? {
        guard let entry = state.entries.removeValue(forKey: key) else { return nil }
        let last = state.keys.removeLast()
        if entry.position < state.keys.count {
            state.keys[entry.position] = last
            state.entries[last]?.position = entry.position
        }
        for scope in entry.versions.keys where scope != .everything {
            state.byScope[scope]?.remove(key)
            if state.byScope[scope]?.isEmpty ?? false { state.byScope[scope] = nil }
        }
        return entry
    }
}
