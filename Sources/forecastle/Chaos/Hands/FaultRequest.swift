import AWSProtocol
import FaultInjection
import Jobs
import Kafka

/// One fault for a running cluster, as `chaos inject` and scenario files write it.
struct FaultRequest: Sendable {
    /// What is wrong with one, by the field that is at fault.
    struct Failure: Error, CustomStringConvertible {
        var field: String
        var rule: String
        var description: String { "\(field) \(rule)" }
    }

    enum Fault: Sendable {
        case proxy(name: String, toxics: Toxics, directions: [FaultProxy.Direction])
        case down(name: String)
        case process(name: String, action: ProcessAction)
        case points(worker: String, text: String)
        case broker(order: String)
    }

    enum ProcessAction: String, Sendable, CaseIterable {
        case kill, terminate, stop
    }

    let fault: Fault
    /// The fields as they came, for who is to read what is injected.
    let fields: JSONObject

    static let proxyFields = [
        "proxy", "down", "direction", "latency_ms", "jitter_ms", "bytes_per_second", "slice_bytes", "close_delay_ms", "ending",
        "ending_after_bytes",
    ]
    static let millisecondsMax = 600_000
    static let bytesMax = 1 << 40

    /// Throws for anything that it does not know: a fault that silently does not happen proves nothing.
    init(_ fields: JSONObject) throws(Failure) {
        self.fields = fields
        let kinds = ["proxy", "process", "worker", "broker"].filter { fields[$0] != nil }
        guard let kind = kinds.first, kinds.count == 1 else {
            throw Failure(field: "inject", rule: "names one of proxy, process, worker, broker")
        }
        let reader = Reader(fields: fields)
        switch kind {
        case "proxy":
            try reader.only(Self.proxyFields)
            let name = try reader.text("proxy")
            if fields["down"] != nil {
                try reader.only(["proxy", "down"])
                guard fields["down"] == .bool(true) else { throw Failure(field: "down", rule: "must be true where it is given") }
                fault = .down(name: name)
            } else {
                fault = .proxy(name: name, toxics: try reader.toxics(), directions: try reader.directions())
            }
        case "process":
            try reader.only(["process", "action"])
            fault = .process(
                name: try reader.text("process"), action: try reader.choice("action", ProcessAction.allCases) { $0.rawValue })
        case "worker":
            try reader.only(["worker", "points"])
            let text = try reader.text("points")
            do {
                _ = try FaultPoints(configuration: text)
            } catch {
                throw Failure(field: "points", rule: "cannot be read: \((error as? JobError)?.message ?? "\(error)")")
            }
            fault = .points(worker: try reader.text("worker"), text: text)
        default:
            try reader.only(["broker"])
            do {
                fault = .broker(order: "\(try FaultOrder(try reader.text("broker")))")
            } catch let error as KafkaError {
                throw Failure(field: "broker", rule: "cannot be read: \(error)")
            } catch {
                throw Failure(field: "broker", rule: "must be a text")
            }
        }
    }

    private struct Reader {
        let fields: JSONObject

        func only(_ names: [String]) throws(Failure) {
            for member in fields.members where !names.contains(member.key) {
                throw Failure(field: member.key, rule: "is not known here; known are \(names.joined(separator: ", "))")
            }
        }

        func text(_ name: String) throws(Failure) -> String {
            guard let text = fields[name]?.stringValue, !text.isEmpty else {
                throw Failure(field: name, rule: "must be a text that is not empty")
            }
            return text
        }

        func choice<T>(_ name: String, _ all: [T], _ title: (T) -> String) throws(Failure) -> T {
            let text = fields[name]?.stringValue
            guard let found = all.first(where: { title($0) == text }) else {
                throw Failure(field: name, rule: "must be one of \(all.map(title).joined(separator: ", "))")
            }
            return found
        }

        func number(_ name: String, _ range: ClosedRange<Int>) throws(Failure) -> Int? {
            guard let value = fields[name] else { return nil }
            guard let number = value.intValue, range.contains(Int(number)) else {
                throw Failure(field: name, rule: "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return Int(number)
        }

        func toxics() throws(Failure) -> Toxics {
            let times = 0...FaultRequest.millisecondsMax
            let sizes = 1...FaultRequest.bytesMax
            var toxics = Toxics()
            toxics.latency = .milliseconds(try number("latency_ms", times) ?? 0)
            toxics.jitter = .milliseconds(try number("jitter_ms", times) ?? 0)
            toxics.closeDelay = .milliseconds(try number("close_delay_ms", times) ?? 0)
            toxics.bytesPerSecond = try number("bytes_per_second", sizes)
            toxics.sliceBytes = try number("slice_bytes", sizes)
            if fields["ending"] != nil { toxics.ending = try choice("ending", Toxics.Ending.allCases) { $0.rawValue } }
            toxics.endingAfterBytes = try number("ending_after_bytes", 0...FaultRequest.bytesMax) ?? 0
            guard toxics != .none else { throw Failure(field: "proxy", rule: "is given nothing to do") }
            return toxics
        }

        func directions() throws(Failure) -> [FaultProxy.Direction] {
            guard fields["direction"] != nil else { return FaultProxy.Direction.allCases }
            switch try choice("direction", ["up", "down", "both"], { $0 }) {
            case "up": return [.up]
            case "down": return [.down]
            default: return FaultProxy.Direction.allCases
            }
        }
    }
}
