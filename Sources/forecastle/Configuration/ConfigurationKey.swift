import AWSProtocol

/// One setting: its name in the file (`worker.slots`), its default, its unit and what it is for.
///
/// The same key is `FORECASTLE_WORKER_SLOTS` in the environment and `--worker-slots` on the command line.
struct ConfigurationKey: Sendable {
    /// What a value may look like. Bounds are inclusive.
    enum Kind: Sendable {
        case text
        case path
        case list
        case flag
        case integer(ClosedRange<Int>)
        case choice([String])
        case region
        case account
    }

    var name: String
    var kind: Kind
    var defaultValue: String
    /// The unit of a number, as the comment in `config/forecastle.yaml` gives it.
    var unit: String?
    var comment: String
    /// Values of secret keys are never printed.
    var isSecret = false

    var environmentName: String {
        "FORECASTLE_" + name.uppercased().replacing(".", with: "_")
    }

    var flagName: String {
        "--" + name.replacing(".", with: "-").replacing("_", with: "-")
    }

    /// It stands in ARNs, credential scopes and names of files.
    private static func isRegion(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-")
            }
    }

    /// Throws a message that names the key and what would be right.
    func check(_ value: String) throws(ConfigurationError) {
        switch kind {
        case .text, .path, .list:
            return
        case .flag:
            guard value == "true" || value == "false" else {
                throw ConfigurationError(key: name, rule: "must be true or false")
            }
        case .integer(let range):
            guard let number = Int(value), range.contains(number) else {
                let unit = unit.map { " \($0)" } ?? ""
                throw ConfigurationError(
                    key: name, rule: "must be a whole number from \(range.lowerBound) to \(range.upperBound)\(unit)")
            }
        case .choice(let choices):
            guard choices.contains(value) else {
                throw ConfigurationError(key: name, rule: "must be one of \(choices.joined(separator: ", "))")
            }
        case .region:
            guard Self.isRegion(value) else {
                throw ConfigurationError(key: name, rule: "must be a region, such as us-west-2")
            }
        case .account:
            guard ARN.isAccountID(value) else {
                throw ConfigurationError(key: name, rule: "must be the 12 digits of an account")
            }
        }
    }
}

/// A setting that can't be used. Its text names the key, never a value.
struct ConfigurationError: Error, CustomStringConvertible {
    var key: String
    var rule: String

    var description: String { "configuration: \(key) \(rule)" }
}
