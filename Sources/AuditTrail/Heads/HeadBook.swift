import FoundationEssentials

/// What the exporter has exported, and what is to be exported next.
///
/// It never forgets a head: what the database lacks of it, or has gone back behind, goes on to be exported as it was.
package struct HeadBook: Sendable {
    package struct Look: Sendable, Equatable {
        /// Moved or new since the last look.
        package var changed: [AuditHead] = []
        /// Known heads that the database went back behind or has lost, told once each.
        package var lost: [AuditHead] = []

        package init() {}
    }

    private var known: [UUID: AuditHead] = [:]
    private var order: [UUID] = []
    private var reported: Set<AuditHead> = []

    package init() {}

    /// All known heads, in the order in which they were first seen.
    package var all: [AuditHead] { order.compactMap { known[$0] } }

    /// Compares with what the database has now; `took` makes it known.
    package mutating func look(at heads: [AuditHead]) -> Look {
        var look = Look()
        var seen = Set<UUID>(minimumCapacity: heads.count)
        for head in heads {
            seen.insert(head.shard)
            guard let before = known[head.shard] else {
                look.changed.append(head)
                continue
            }
            if head == before { continue }
            if head.sequence > before.sequence {
                look.changed.append(head)
            } else if reported.insert(before).inserted {
                look.lost.append(before)
            }
        }
        for (shard, head) in known where !seen.contains(shard) && reported.insert(head).inserted { look.lost.append(head) }
        return look
    }

    /// What was changed is exported.
    package mutating func took(_ changed: [AuditHead]) {
        for head in changed {
            if known.updateValue(head, forKey: head.shard) == nil { order.append(head.shard) }
        }
    }
}
