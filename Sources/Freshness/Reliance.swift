import Synchronization

/// What one request has taken from caches, and under which versions: a debt that the transaction of its record pays.
///
/// `AuditTrail` compares the versions in that transaction, behind the lock of the shard's head. Where one has changed, nothing is
/// recorded, and the request is decided anew from the database (`CacheBoard.deciding`).
package final class Reliance: Sendable {
    /// Of the request that this task works on; caches give nothing where there is none.
    @TaskLocal package static var current: Reliance?

    private struct State {
        var unproven: ScopeVersions = [:]
        var isRefuted = false
    }

    private let board: CacheBoard
    private let state = Mutex(State())

    init(board: CacheBoard) { self.board = board }

    func rely(on versions: ScopeVersions) {
        state.withLock { state in
            for (scope, version) in versions {
                let earlier = state.unproven.updateValue(version, forKey: scope)
                // Two states of one thing in one decision.
                if let earlier, earlier != version { state.isRefuted = true }
            }
        }
    }

    /// What is still to be compared with the database.
    package var unproven: ScopeVersions { state.withLock { $0.unproven } }

    /// Some version had changed: whatever was decided must not be answered.
    package var isRefuted: Bool { state.withLock { $0.isRefuted } }

    /// Nothing was taken from a cache, or all of it was proven.
    package var isProven: Bool { state.withLock { !$0.isRefuted && $0.unproven.isEmpty } }

    /// Compares with versions that the recording transaction has read. What is proven once stays so: the decision held at a moment
    /// between the request and its answer, and more nobody can ask for.
    package func prove(by current: ScopeVersions) -> Bool {
        let outdated = state.withLock { state -> [Scope] in
            let outdated = state.unproven.filter { current[$0.key] != $0.value }.map(\.key)
            if !outdated.isEmpty { state.isRefuted = true }
            if !state.isRefuted { state.unproven = [:] }
            return outdated
        }
        for scope in outdated { board.forget(scope) }
        return !isRefuted
    }
}
