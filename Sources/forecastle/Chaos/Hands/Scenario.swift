import AWSProtocol
import Foundation
import Yams

/// A scenario of people's own: what is injected when, under which load, and what must come of it.
struct Scenario: Sendable {
    /// What is wrong with a file: where, which field, which rule.
    struct Failure: Error, CustomStringConvertible {
        var file: String
        var line: Int?
        var field: String
        var rule: String
        var description: String { "\(file):\(line.map { "\($0): " } ?? " ")\(field) \(rule)" }
    }

    enum Step: Sendable {
        case wait(seconds: Int)
        case inject(FaultRequest)
        /// Nil: everything.
        case heal(String?)
        /// Until so many imports have succeeded since the beginning.
        case until(succeeded: Int, withinSeconds: Int)
    }

    enum Outcome: String, CaseIterable, Sendable {
        /// Every accepted import succeeds, or merely ends.
        case succeed, end
    }

    var name = ""
    var about = ""
    var seed: UInt64 = 1
    /// Of its own cluster.
    var workers = 2
    /// Imports open at once.
    var imports = 4
    var steps: [Step] = []
    var outcome = Outcome.succeed
    var recoverWithinSeconds = 120
    var verifies = true

    static let stepsMax = 1000

    init(file: String) throws {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw Failure(file: file, line: nil, field: "the file", rule: "cannot be read")
        }
        try self.init(yaml: text, file: file)
    }

    init(yaml text: String, file: String) throws {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw Failure(file: file, line: Self.line(of: error), field: "the file", rule: "is not YAML that can be read")
        }
        guard let root else { throw Failure(file: file, line: 1, field: "the file", rule: "is empty") }
        let top = try ScenarioMap(root, field: "the file", file: file)
        try top.only(["name", "about", "seed", "cluster", "load", "steps", "expect"])
        name = try top.text("name")
        about = try top.optionalText("about") ?? ""
        seed = UInt64(try top.number("seed", 1...Int.max) ?? 1)
        if let cluster = try top.map("cluster") {
            try cluster.only(["workers"])
            workers = try cluster.number("workers", 1...64) ?? workers
        }
        if let load = try top.map("load") {
            try load.only(["imports"])
            imports = try load.number("imports", 0...64) ?? imports
        }
        let list = try top.list("steps")
        guard (1...Self.stepsMax).contains(list.count) else { throw top.failure("steps", "has 1 to \(Self.stepsMax) entries") }
        steps = try list.enumerated().map { try Self.step($1, "steps[\($0 + 1)]", file) }
        if let expect = try top.map("expect") {
            try expect.only(["imports", "recover_within_s", "verify"])
            if let text = try expect.optionalText("imports") {
                guard let value = Outcome(rawValue: text) else { throw expect.failure("imports", "must be succeed or end") }
                outcome = value
            }
            recoverWithinSeconds = try expect.number("recover_within_s", 1...86_400) ?? recoverWithinSeconds
            verifies = try expect.flag("verify") ?? verifies
        }
    }

    private static func step(_ node: Node, _ field: String, _ file: String) throws -> Step {
        let map = try ScenarioMap(node, field: field, file: file)
        let kinds = ["wait_s", "inject", "heal", "until"]
        try map.only(kinds)
        guard let kind = map.keys.first, map.keys.count == 1 else {
            throw map.failure(nil, "has one of \(kinds.joined(separator: ", "))")
        }
        switch kind {
        case "wait_s": return .wait(seconds: try map.number("wait_s", 0...86_400) ?? 0)
        case "heal":
            let name = try map.text("heal")
            return .heal(name == "all" ? nil : name)
        case "until":
            guard let until = try map.map("until") else { throw map.failure("until", "must be a map") }
            try until.only(["succeeded", "within_s"])
            guard let count = try until.number("succeeded", 1...1_000_000) else { throw until.failure("succeeded", "is missing") }
            return .until(succeeded: count, withinSeconds: try until.number("within_s", 1...86_400) ?? 120)
        default:
            guard let fault = try map.map("inject") else { throw map.failure("inject", "must be a map") }
            do {
                return .inject(try FaultRequest(try fault.scalars()))
            } catch let failure as FaultRequest.Failure {
                throw fault.failure(failure.field, failure.rule)
            }
        }
    }

    private static func line(of error: YamlError) -> Int? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        default: nil
        }
    }
}

/// A map of a scenario file whose fields are asked for by name; what is wrong is told with its line.
struct ScenarioMap {
    private let pairs: [(key: String, node: Node, line: Int?)]
    private let field: String
    private let file: String
    private let line: Int?

    init(_ node: Node, field: String, file: String) throws {
        self.field = field
        self.file = file
        line = node.mark?.line
        guard let mapping = node.mapping else {
            throw Scenario.Failure(file: file, line: line, field: field, rule: "must be a map")
        }
        var pairs: [(key: String, node: Node, line: Int?)] = []
        for (key, value) in mapping {
            guard let name = key.string, !pairs.contains(where: { $0.key == name }) else {
                throw Scenario.Failure(
                    file: file, line: key.mark?.line, field: field, rule: "has a key that is no text, or twice")
            }
            pairs.append((name, value, key.mark?.line ?? value.mark?.line))
        }
        self.pairs = pairs
    }

    var keys: [String] { pairs.map(\.key) }

    func failure(_ name: String?, _ rule: String) -> Scenario.Failure {
        let place = pairs.first { $0.key == name }
        return Scenario.Failure(file: file, line: place?.line ?? line, field: path(name), rule: rule)
    }

    private func path(_ name: String?) -> String {
        guard let name else { return field }
        return field == "the file" ? name : "\(field).\(name)"
    }

    func only(_ names: [String]) throws {
        if let pair = pairs.first(where: { !names.contains($0.key) }) {
            throw failure(pair.key, "is not known here; known are \(names.joined(separator: ", "))")
        }
    }

    private func node(_ name: String) -> Node? { pairs.first { $0.key == name }?.node }

    func text(_ name: String) throws -> String {
        guard let text = try optionalText(name), !text.isEmpty else { throw failure(name, "must be a text that is not empty") }
        return text
    }

    func optionalText(_ name: String) throws -> String? {
        guard let node = node(name) else { return nil }
        guard let text = node.scalar?.string else { throw failure(name, "must be a text") }
        return text
    }

    func number(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
        guard let node = node(name) else { return nil }
        guard let number = node.scalar.flatMap({ Int($0.string) }), range.contains(number) else {
            throw failure(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func flag(_ name: String) throws -> Bool? {
        switch try optionalText(name) {
        case nil: return nil
        case "true": return true
        case "false": return false
        default: throw failure(name, "must be true or false")
        }
    }

    func map(_ name: String) throws -> ScenarioMap? {
        try node(name).map { try ScenarioMap($0, field: path(name), file: file) }
    }

    func list(_ name: String) throws -> [Node] {
        guard let sequence = node(name)?.sequence else { throw failure(name, "must be a list") }
        return Array(sequence)
    }

    /// Plain values by name: whole numbers, true and false, texts.
    func scalars() throws -> JSONObject {
        var object = JSONObject()
        for pair in pairs {
            guard let scalar = pair.node.scalar else { throw failure(pair.key, "must be a plain value") }
            let text = scalar.string
            if scalar.style == .plain, let number = Int64(text) {
                object[pair.key] = .int(number)
            } else if scalar.style == .plain, text == "true" || text == "false" {
                object[pair.key] = .bool(text == "true")
            } else {
                object[pair.key] = .string(text)
            }
        }
        return object
    }
}
