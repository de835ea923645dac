import AWSProtocol

/// The lives of the grants on one key, put together from the trail's records of the key and of its role.
///
/// The record of a key use does not name its grant. It carries the encryption context, and a grant of this system is
/// bound to one artifact by it; so a use belongs to the newest grant alive whose constraint and operations it fits.
struct GrantLives: Sendable {
    struct Grant: Sendable {
        let id: String
        let name: String
        let operations: [String]
        let constraint: JSONObject
        let chapter: String
        let createdAt: String
        var uses: [String: Int] = [:]
        var retiredAt: String?

        var isOfJob: Bool { name.hasPrefix("job/") }

        func fits(_ event: TrailEvent) -> Bool {
            retiredAt == nil && operations.contains(event.name) && constraint.allSatisfy { event.context[$0.key] == $0.value }
        }
    }

    /// Equal events of one grant or session are one line with a count.
    struct Line: Sendable {
        let time: String
        let event: String
        let who: String
        let grant: String
        var count = 1
    }

    /// What belongs to one job, or to one check of a role and key.
    struct Chapter: Sendable {
        let key: String
        var lines: [Line] = []
    }

    /// Chapter of the grants that the API holds for a minute to read under: QueryForecast, metrics, statistics.
    static let reading = "reading"
    static let unknown = "unknown"

    private(set) var grants: [Grant] = []
    private(set) var chapters: [Chapter] = []

    /// Both oldest first: of the role only what made sessions, of the key everything.
    init(role: [TrailEvent], key: [TrailEvent]) {
        let readers = Set(key.filter { $0.grantName.hasPrefix("read/") }.compactMap(\.session))
        let touching = Set(key.compactMap(\.session))
        let sessions = role.filter { $0.name == "AssumeRole" && touching.contains($0.session ?? "") }
        for event in sessions + key {
            guard let session = event.session else {
                if event.name == "Decrypt" || event.name == "GenerateDataKey" { addUse(event) }
                continue
            }
            add(event, chapter: readers.contains(session) ? Self.reading : session)
        }
        // In the order in which their first act on the key came, which sessions made ahead of time would hide.
        let order = key.compactMap(\.session).map { readers.contains($0) ? Self.reading : $0 }
        chapters.sort { (order.firstIndex(of: $0.key) ?? .max) < (order.firstIndex(of: $1.key) ?? .max) }
    }

    private mutating func add(_ event: TrailEvent, chapter: String) {
        if !event.isDryRun, !event.isRefused, let id = event.grantID {
            if event.name == "CreateGrant" {
                grants.append(
                    Grant(
                        id: id, name: event.grantName, operations: event.operations, constraint: event.context,
                        chapter: chapter, createdAt: event.timestamp))
            } else if event.name == "RetireGrant", let index = grants.firstIndex(where: { $0.id == id }) {
                grants[index].retiredAt = event.timestamp
            }
        }
        append(event, chapter: chapter, grant: event.grantID)
    }

    private mutating func addUse(_ event: TrailEvent) {
        guard let index = grants.lastIndex(where: { $0.fits(event) }) else {
            return append(event, chapter: Self.unknown, grant: nil)
        }
        if !event.isDryRun && !event.isRefused { grants[index].uses[event.name, default: 0] += 1 }
        append(event, chapter: grants[index].chapter, grant: grants[index].id)
    }

    private mutating func append(_ event: TrailEvent, chapter key: String, grant: String?) {
        var text = event.name
        if event.name == "CreateGrant" { text += " (\(event.operations.sorted(by: >).joined(separator: ", ")))" }
        if event.isDryRun { text += ", dry run" }
        if event.isRefused { text += ", \(event.errorCode ?? "")" }
        let line = Line(time: event.time, event: text, who: event.who, grant: grant.map { String($0.prefix(8)) } ?? "")
        let index =
            chapters.firstIndex { $0.key == key }
            ?? {
                chapters.append(Chapter(key: key))
                return chapters.count - 1
            }()
        let same = chapters[index].lines.firstIndex {
            $0.event == line.event && $0.who == line.who && $0.grant == line.grant
        }
        if let same {
            chapters[index].lines[same].count += 1
        } else {
            chapters[index].lines.append(line)
        }
    }
}
