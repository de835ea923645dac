import Synchronization

/// What a pass noted about frames.
final class FrameFindings: Sendable {
    private let list = Mutex<[String]>([])

    func append(_ finding: String) { list.withLock { $0.append(finding) } }
    var all: [String] { list.withLock { $0 } }
    var count: Int { list.withLock { $0.count } }
}
