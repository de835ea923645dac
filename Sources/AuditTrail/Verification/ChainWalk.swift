import FoundationEssentials

/// Goes along one shard's records, in their order, until the first that does not fit.
struct ChainWalk: Sendable {
    /// A record with what is stored beside it.
    struct Step: Sendable {
        var sequence: Int64
        var previousHash: [UInt8]
        var hash: [UInt8]
        var text: String
        var columns: RecordColumns
    }

    let shard: UUID
    private(set) var chain: HashChain
    /// Exported heads that the chain has not come to yet.
    private var ahead: ArraySlice<HeadsEvidence.Point>
    /// The last exported head that the chain came through.
    private var confirmed: Int64 = 0

    init(shard: UUID, points: [HeadsEvidence.Point]) {
        self.shard = shard
        chain = HashChain(shard: shard)
        ahead = points[...]
        if let first = ahead.first, first.head.sequence == 0 { ahead = ahead.dropFirst() }
    }

    mutating func take(_ step: Step) -> AuditFinding? {
        let place = chain.sequence + 1
        let id = step.columns.eventID
        guard step.sequence == place else {
            let last = step.sequence - 1
            return AuditFinding(
                .missing, shard: shard, sequence: place, last == place ? "is not there" : "and those up to \(last) are not there")
        }
        guard step.previousHash == chain.hash else {
            return AuditFinding(
                .displaced, shard: shard, sequence: place, eventID: id,
                "does not follow the record before it: one of the two was replaced or moved")
        }
        var next = chain
        next.extend(with: step.text)
        guard step.hash == next.hash else {
            return AuditFinding(.edited, shard: shard, sequence: place, eventID: id, "was changed")
        }
        if let finding = columns(step) { return finding }
        chain = next
        return exported()
    }

    /// - Parameter last: the highest sequence among the shard's records when the head was read.
    mutating func end(head: HashChain, last: Int64) -> AuditFinding? {
        if chain.sequence < head.sequence {
            return AuditFinding(
                .tailMissing, shard: shard, sequence: chain.sequence + 1,
                "and all after it, up to \(head.sequence), are not there")
        }
        if chain.hash != head.hash {
            return AuditFinding(.headDiffers, shard: shard, sequence: head.sequence, "is not what the shard's head tells of")
        }
        if last > head.sequence {
            return AuditFinding(
                .headDiffers, shard: shard, sequence: head.sequence + 1, "lies beyond the shard's head, which was moved back")
        }
        guard let point = ahead.first else { return nil }
        return AuditFinding(
            .behindExport, shard: shard, sequence: chain.sequence + 1,
            "is not there; heads up to record \(ahead.last?.head.sequence ?? 0) were exported, the first of them at "
                + AuditFinding.text(point.time))
    }

    private func columns(_ step: Step) -> AuditFinding? {
        guard let told = RecordColumns(text: step.text) else {
            return AuditFinding(
                .columnsDiffer, shard: shard, sequence: step.sequence, eventID: step.columns.eventID, "is no CloudTrail record")
        }
        guard let name = step.columns.firstDifference(from: told) else { return nil }
        return AuditFinding(
            .columnsDiffer, shard: shard, sequence: step.sequence, eventID: told.eventID,
            "stands in the column \(name) other than in its own text, so that look-ups miss it")
    }

    private mutating func exported() -> AuditFinding? {
        guard let point = ahead.first, point.head.sequence == chain.sequence else { return nil }
        guard point.head.hash == chain.hash else {
            return AuditFinding(
                .rewritten, shard: shard, sequence: confirmed + 1,
                "or one after it, up to \(chain.sequence), was rewritten with all hashes that follow: the head exported at "
                    + "\(AuditFinding.text(point.time)) is another")
        }
        confirmed = chain.sequence
        ahead = ahead.dropFirst()
        return nil
    }
}
