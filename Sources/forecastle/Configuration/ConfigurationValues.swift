import Foundation
import Yams

/// The settings in effect, each with the place it came from. Later places win: default, file, environment, flag.
struct ConfigurationValues: Sendable {
    enum Origin: String, Sendable, Comparable, CaseIterable {
        case defaultValue = "default"
        case file, environment, flag

        /// Later places are greater.
        static func < (one: Origin, other: Origin) -> Bool { one.place < other.place }

        private var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    private(set) var values: [String: (value: String, origin: Origin)] = [:]

    /// Reads every place and checks each value against its key. An unknown key is refused by name.
    init(file: String?, environment: [String: String], flags: [String: String]) throws {
        for key in ConfigurationKey.all { values[key.name] = (key.defaultValue, .defaultValue) }
        if let file {
            for (name, value) in try Self.read(file: file) { try set(name, value, .file) }
        }
        for key in ConfigurationKey.all {
            if let value = environment[key.environmentName] { try set(key.name, value, .environment) }
        }
        for (name, value) in flags { try set(name, value, .flag) }
        try checkTogether()
    }

    private mutating func set(_ name: String, _ value: String, _ origin: Origin) throws {
        guard let key = ConfigurationKey.byName[name] else {
            throw ConfigurationError(key: name, rule: "is no setting of Forecastle; config/forecastle.yaml lists them all")
        }
        try key.check(value)
        values[name] = (value, origin)
    }

    private func checkTogether() throws {
        guard milliseconds("worker.beat_ms") * 3 <= milliseconds("worker.lease_ms") else {
            throw ConfigurationError(key: "worker.beat_ms", rule: "must be at most a third of worker.lease_ms")
        }
        try KeyServers(self).check()
        try StoreSettings(self).check()
        _ = try StoreSettings(self).owners()
        try TLSSettings(self).check()
        try KafkaSettings(self).check()
        let stale = integer("audit.heads_stale_s") * 1000
        guard stale == 0 || stale >= milliseconds("audit.heads_interval_ms") * 3 else {
            throw ConfigurationError(
                key: "audit.heads_stale_s", rule: "must be 0 or at least three times audit.heads_interval_ms")
        }
    }

    /// Nested maps become dotted names; lists become values joined by commas.
    private static func read(file: String) throws -> [(String, String)] {
        let text: String
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw ConfigurationError(key: "--config", rule: "names a file that can't be read: \(file)")
        }
        var found: [(String, String)] = []
        func flatten(_ node: Node, _ path: String) throws {
            switch node {
            case .mapping(let mapping):
                for (key, value) in mapping {
                    let name = key.string ?? ""
                    try flatten(value, path.isEmpty ? name : "\(path).\(name)")
                }
            case .sequence(let sequence):
                found.append((path, sequence.compactMap(\.string).joined(separator: ",")))
            case .scalar(let scalar):
                found.append((path, scalar.string))
            case .alias:
                throw ConfigurationError(key: path, rule: "must be a plain value")
            }
        }
        do {
            if let root = try Yams.compose(yaml: text) { try flatten(root, "") }
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError(key: "--config", rule: "is not YAML that can be read: \(file)")
        }
        return found
    }
}

extension ConfigurationValues {
    func string(_ name: String) -> String {
        guard let entry = values[name] else { preconditionFailure("\(name) is not in the table of settings") }
        return entry.value
    }

    func integer(_ name: String) -> Int {
        guard let number = Int(string(name)) else { preconditionFailure("\(name) is not a number in the table of settings") }
        return number
    }

    func origin(of name: String) -> Origin {
        guard let entry = values[name] else { preconditionFailure("\(name) is not in the table of settings") }
        return entry.origin
    }

    func milliseconds(_ name: String) -> Int { integer(name) }
    func duration(milliseconds name: String) -> Duration { .milliseconds(integer(name)) }
    func duration(seconds name: String) -> Duration { .seconds(integer(name)) }
    func flag(_ name: String) -> Bool { string(name) == "true" }

    func list(_ name: String) -> [String] {
        string(name).split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    /// The value, or an error that says which key is missing and how to give it.
    func required(_ name: String) throws -> String {
        let value = string(name)
        guard !value.isEmpty else {
            let key = ConfigurationKey.byName[name]
            throw ConfigurationError(
                key: name,
                rule: "must be set (in the file, as \(key?.environmentName ?? "") or with \(key?.flagName ?? "")); "
                    + "a cluster of forecastle up has its settings in its folder: source FOLDER/env")
        }
        return value
    }
}
