import AWSProtocol
import Foundation
import Synchronization

/// What workers wrote to their frame trace so far.
final class FrameTraceLog: Sendable {
    struct Line: Sendable {
        enum Event: String, Sendable {
            case held, sealed, opened, confirmed, lost, released

            /// Whether a key was used.
            var isFrame: Bool { self == .sealed || self == .opened }
            /// Whether a data key is held from then on at the latest.
            var isHolding: Bool { isFrame || self == .held }
            /// Whether the lease is over.
            var isEnd: Bool { self == .lost || self == .released }
        }

        /// Nanoseconds of the machine's monotonic clock, taken behind the last frame.
        let at: UInt64
        let process: Int64
        let event: Event
        let resource: String
        let key: String
        let bytes: Int
        let wiped: Int
        let handlers: Int
        /// Of a confirmation: when it was asked for.
        let asked: UInt64

        init?(_ text: Substring) {
            guard let json = try? JSONValue.parse(Array(text.utf8)), let at = json["at"]?.intValue,
                let process = json["pid"]?.intValue, let event = json["event"]?.stringValue.flatMap(Event.init(rawValue:)),
                let resource = json["resource"]?.stringValue, let key = json["key"]?.stringValue
            else { return nil }
            self.at = UInt64(at)
            self.process = process
            self.event = event
            self.resource = resource
            self.key = key
            bytes = Int(json["bytes"]?.intValue ?? 0)
            wiped = Int(json["wiped"]?.intValue ?? 0)
            handlers = Int(json["handlers"]?.intValue ?? 0)
            asked = UInt64(json["asked"]?.intValue ?? 0)
        }
    }

    /// A lease that a worker holds.
    struct Holder: Hashable, Sendable {
        let process: Int64
        let resource: String
    }

    private struct State {
        var lines: [Line] = []
        var rest = ""
        var offset: UInt64 = 0
        var unreadable = 0
        /// Leases with a data key now, by key, each with when it came.
        var held: [String: [Holder: UInt64]] = [:]

        mutating func add(_ line: Line) {
            lines.append(line)
            let holder = Holder(process: line.process, resource: line.resource)
            if line.event.isHolding, held[line.key]?[holder] == nil { held[line.key, default: [:]][holder] = line.at }
            if line.event.isEnd { held[line.key]?[holder] = nil }
        }
    }

    private let path: String
    private let state = Mutex(State())

    /// - Parameter fromItsEnd: leaves out what is there already. Lines are written whole, so one begins there.
    init(path: String, fromItsEnd: Bool = false) throws {
        self.path = path
        guard fromItsEnd, let handle = FileHandle(forReadingAtPath: path) else { return }
        defer { try? handle.close() }
        let end = try handle.seekToEnd()
        state.withLock { $0.offset = end }
    }

    /// Takes in what was added. Lines that cannot be read are counted: a trace with holes proves nothing.
    func refresh() throws {
        guard let handle = FileHandle(forReadingAtPath: path) else { return }
        defer { try? handle.close() }
        try state.withLock { state in
            try handle.seek(toOffset: state.offset)
            let data = try handle.readToEnd() ?? Data()
            state.offset += UInt64(data.count)
            var text = state.rest + String(decoding: data, as: UTF8.self)
            let end = text.lastIndex(of: "\n").map { text.index(after: $0) } ?? text.startIndex
            state.rest = String(text[end...])
            text = String(text[..<end])
            for part in text.split(separator: "\n") {
                if let line = Line(part) { state.add(line) } else { state.unreadable += 1 }
            }
        }
    }

    var unreadable: Int { state.withLock { $0.unreadable } }
    var count: Int { state.withLock { $0.lines.count } }

    func lines(of key: String, where isWanted: (Line) -> Bool = { _ in true }) -> [Line] {
        state.withLock { $0.lines.filter { $0.key == key && isWanted($0) } }
    }

    /// Plaintext sealed in a span of time under keys that are wanted.
    func sealedBytes(_ span: Range<UInt64>, where isWanted: (String) -> Bool) -> Int {
        state.withLock { state in
            state.lines.reduce(0) { sum, line in
                line.event == .sealed && span.contains(line.at) && isWanted(line.key) ? sum + line.bytes : sum
            }
        }
    }

    /// Keys that a worker began to use after that moment and has not let go of.
    func keysInUse(since moment: UInt64) -> [String] {
        state.withLock { state in state.held.filter { $0.value.values.contains { $0 > moment } }.keys.sorted() }
    }

    /// Leases on the key that were in use at that moment: a data key before it, and no end before it.
    func holders(of key: String, at moment: UInt64) -> Set<Holder> {
        var held: Set<Holder> = []
        for line in lines(of: key, where: { $0.at <= moment }).sorted(by: { $0.at < $1.at }) {
            let holder = Holder(process: line.process, resource: line.resource)
            if line.event.isHolding { held.insert(holder) }
            if line.event.isEnd { held.remove(holder) }
        }
        return held
    }
}
