/// Which statements a connection has prepared on the server. Pure: it says what to do, the connection does it.
///
/// A statement is prepared when it is seen for the second time, so that statements made once (migrations, ad-hoc ones) cost
/// neither a round trip nor server memory. The least recently used one makes room for a new one.
package struct StatementCache {
    package struct Key: Hashable {
        package let sql: String
        package let types: [UInt32]

        package init(sql: String, types: [UInt32]) {
            self.sql = sql
            self.types = types
        }
    }

    package enum Plan: Equatable {
        /// Send text and parameters together.
        case unprepared
        /// Prepare under `name`, after deallocating `evicting`; report with `didPrepare`.
        case prepare(name: String, evicting: String?)
        case prepared(name: String)
    }

    package static let defaultCapacity = 256

    private struct Entry {
        var name: String?
        var lastUse: UInt64
    }

    private let capacity: Int
    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0
    private var nextName = 0
    /// Names that left the cache and still live on the server; each later preparation removes one.
    private var pendingEvictions: [String] = []

    package init(capacity: Int = defaultCapacity) { self.capacity = capacity }

    package var count: Int { entries.count }

    package mutating func plan(for key: Key) -> Plan {
        clock += 1
        if let name = entries[key]?.name {
            entries[key]?.lastUse = clock
            return .prepared(name: name)
        }
        let evicted = makeRoom(for: key)
        if entries.updateValue(Entry(name: nil, lastUse: clock), forKey: key) == nil {
            // Seen once. What had to go for it is deallocated when the next statement is prepared.
            if let evicted { pendingEvictions.append(evicted) }
            return .unprepared
        }
        nextName += 1
        return .prepare(name: "s\(nextName)", evicting: pendingEvictions.popLast())
    }

    package mutating func didPrepare(_ key: Key, name: String) { entries[key]?.name = name }

    /// The server no longer accepts what was prepared (the table changed, or it knows the name no more): forget it.
    package mutating func forget(_ key: Key, isKnownToServer: Bool) {
        if let name = entries.removeValue(forKey: key)?.name, isKnownToServer { pendingEvictions.append(name) }
    }

    private mutating func makeRoom(for key: Key) -> String? {
        guard entries[key] == nil, entries.count >= capacity,
            let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        else { return nil }
        return entries.removeValue(forKey: oldest.key)?.name
    }
}
