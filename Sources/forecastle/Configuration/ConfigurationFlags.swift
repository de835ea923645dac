/// Flags named after settings (`--worker-slots 4`, `--worker-slots=4`), taken out of the command line before the rest
/// of it is parsed, so that every command accepts every setting without naming it again.
struct ConfigurationFlags: Sendable {
    var values: [String: String] = [:]
    /// What remains for the commands.
    var remaining: [String] = []

    /// The same flags again, for child processes.
    var arguments: [String] {
        values.sorted { $0.key < $1.key }.compactMap { name, value in
            ConfigurationKey.byName[name].map { "\($0.flagName)=\(value)" }
        }
    }

    init(arguments: [String]) throws {
        var index = arguments.startIndex
        while index < arguments.endIndex {
            let argument = arguments[index]
            index += 1
            if argument == "--" {
                remaining.append(contentsOf: arguments[(index - 1)...])
                break
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let key = ConfigurationKey.byFlag[parts[0]] else {
                remaining.append(argument)
                continue
            }
            if parts.count == 2 {
                values[key.name] = parts[1]
            } else if index < arguments.endIndex {
                values[key.name] = arguments[index]
                index += 1
            } else {
                throw ConfigurationError(key: key.name, rule: "needs a value after \(key.flagName)")
            }
        }
    }
}
