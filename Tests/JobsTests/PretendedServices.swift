import Foundation
import Jobs
import Synchronization

/// KMS as far as jobs see it: grants by Name, retiring, paging.
final class PretendedKMS: GrantRetirer, GrantLister, Sendable {
    private struct State {
        var grants: [String: ListedGrant] = [:]
        var created: [String] = []
        var retired: [String] = []
        var roles: [String: String?] = [:]
        var answers: [RetireOutcome] = []
        var isDenying = false
        var isListing = true
        var next = 1
    }

    private let state = Mutex(State())
    static let pageSize = 2

    /// The same Name gives the same grant.
    func create(_ record: GrantRecord) -> (grantID: String, token: String?) {
        state.withLock { state in
            if let grant = state.grants.values.first(where: { $0.name == record.name }) { return (grant.grantID, "token") }
            let id = "grant-\(state.next)"
            state.next += 1
            state.grants[id] = ListedGrant(name: record.name, grantID: id, keyARN: record.intent.keyARN)
            state.created.append(record.name)
            return (id, "token")
        }
    }

    func retire(_ grant: GrantToRetire) async -> RetireOutcome {
        state.withLock { state in
            state.roles[grant.name] = grant.roleARN
            if state.isDenying { return .denied("no") }
            if !state.answers.isEmpty { return state.answers.removeFirst() }
            guard state.grants.removeValue(forKey: grant.grantID) != nil else { return .notFound }
            state.retired.append(grant.name)
            return .retired
        }
    }

    func retirableGrants(after marker: String?) async throws -> (grants: [ListedGrant], next: String?) {
        guard isListing else { throw JobError.retriable("time-out") }
        return state.withLock { state in
            let all = state.grants.values.sorted { $0.grantID < $1.grantID }
            let rest = all.filter { marker == nil || $0.grantID > marker! }
            let page = Array(rest.prefix(Self.pageSize))
            return (page, rest.count > page.count ? page.last?.grantID : nil)
        }
    }

    func revoke(_ name: String) {
        state.withLock { state in state.grants = state.grants.filter { $0.value.name != name } }
    }

    func exists(_ name: String) -> Bool { state.withLock { $0.grants.values.contains { $0.name == name } } }
    var active: [String] { state.withLock { $0.grants.values.map(\.name).sorted() } }
    var created: [String] { state.withLock { $0.created } }
    var retired: [String] { state.withLock { $0.retired } }
    func role(for name: String) -> String?? { state.withLock { $0.roles[name] } }
    func answer(_ outcomes: [RetireOutcome]) { state.withLock { $0.answers = outcomes } }
    var isListing: Bool {
        get { state.withLock { $0.isListing } }
        set { state.withLock { $0.isListing = newValue } }
    }
    var isDenying: Bool {
        get { state.withLock { $0.isDenying } }
        set { state.withLock { $0.isDenying = newValue } }
    }
}

/// Write-once objects in memory.
final class PretendedObjects: ObjectRemover, Sendable {
    private let names = Mutex<Set<String>>([])
    private let everWritten = Mutex<[String]>([])

    func write(_ name: String) {
        let isNew = names.withLock { $0.insert(name).inserted }
        precondition(isNew, "An object was written twice: \(name)")
        everWritten.withLock { $0.append(name) }
    }

    func remove(_ name: String) async throws {
        _ = names.withLock { $0.remove(name) }
    }

    var all: Set<String> { names.withLock { $0 } }
    var written: [String] { everWritten.withLock { $0 } }
}
