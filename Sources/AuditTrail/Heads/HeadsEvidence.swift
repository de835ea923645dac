package import FoundationEssentials

/// What exported heads say: for each shard the places that its chain must come through.
package struct HeadsEvidence: Sendable {
    /// A head at the time of its export.
    package struct Point: Sendable, Equatable {
        package var head: AuditHead
        var time: Date
    }

    /// What was exported and then given up by an operator's acceptance of an older database.
    package struct Loss: Sendable, Equatable {
        package var head: AuditHead
        package var acceptedAt: Date
    }

    /// Points kept of one shard; beyond it every second one goes. The last stays, and it commits to all before it: only
    /// the place of an alteration is then told less exactly.
    package static let maximumPoints = 65_536

    package private(set) var lines = 0
    package private(set) var lastTime: Date?
    /// The longest that a line took to be on disk.
    package private(set) var slowestMilliseconds: Int64 = 0
    package private(set) var losses: [Loss] = []
    /// What is wrong with the files themselves.
    package internal(set) var findings: [AuditFinding] = []
    /// Half a line at the end of a file, as a crash leaves it.
    package internal(set) var tornLines = 0
    private var points: [UUID: [Point]] = [:]

    package init() {}

    /// The last exported head of each shard.
    package var newest: [AuditHead] { points.values.compactMap { $0.last?.head } }

    /// By sequence, each once.
    package func points(of shard: UUID) -> [Point] { points[shard] ?? [] }

    package var shards: [UUID] { Array(points.keys) }

    /// Lines come by time, whoever wrote them.
    package mutating func add(_ line: HeadsLine) {
        lines += 1
        lastTime = max(lastTime ?? line.time, line.time)
        slowestMilliseconds = max(slowestMilliseconds, line.previousMilliseconds)
        if line.kind == .accepted { accept(line) }
        for head in line.heads { add(Point(head: head, time: line.time)) }
    }

    private mutating func add(_ point: Point) {
        var list = points[point.head.shard, default: []]
        // Nearly always the newest; another writer's view of the same moment may be a little older.
        var index = list.endIndex
        while index > 0, list[index - 1].head.sequence > point.head.sequence { index -= 1 }
        if index > 0, list[index - 1].head.sequence == point.head.sequence {
            if list[index - 1].head.hash != point.head.hash { contradict(list[index - 1], point) }
            return
        }
        list.insert(point, at: index)
        if list.count > Self.maximumPoints {
            list = list.enumerated().filter { $0.offset.isMultiple(of: 2) || $0.offset == list.count - 1 }.map(\.element)
        }
        points[point.head.shard] = list
    }

    /// Two exports of one place with two hashes: the database was rewritten between them.
    private mutating func contradict(_ first: Point, _ second: Point) {
        findings.append(
            AuditFinding(
                .rewritten, shard: first.head.shard, sequence: first.head.sequence,
                "was exported with two hashes, at \(AuditFinding.text(first.time)) and at \(AuditFinding.text(second.time))"))
    }

    /// Keeps of every shard what the accepted database still has.
    private mutating func accept(_ line: HeadsLine) {
        let accepted = Dictionary(line.heads.map { ($0.shard, $0) }, uniquingKeysWith: { $1 })
        for (shard, list) in points {
            let end = accepted[shard]?.sequence
            let kept = list.filter { point in end.map { point.head.sequence <= $0 } ?? false }
            if let last = list.last, kept.count < list.count { losses.append(Loss(head: last.head, acceptedAt: line.time)) }
            points[shard] = kept.isEmpty ? nil : kept
        }
    }
}
