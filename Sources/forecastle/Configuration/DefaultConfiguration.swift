/// `config/forecastle.yaml`: every key with its default, unit and comment. A test holds the file to this text.
enum DefaultConfiguration {
    static var text: String {
        var lines = [
            "# Forecastle's configuration: every key with its default. Keys that are left out have the default.",
            "# The same keys by environment (worker.slots: FORECASTLE_WORKER_SLOTS) and by flag (--worker-slots).",
            "# Later places win: file, environment, flag. `forecastle doctor` prints what is in effect.",
        ]
        var section = ""
        for key in ConfigurationKey.all {
            let parts = key.name.split(separator: ".", maxSplits: 1).map(String.init)
            let indent = parts.count == 2 ? "  " : ""
            if parts.count == 2, parts[0] != section {
                section = parts[0]
                lines += ["", "\(section):"]
            } else if parts.count == 1 {
                section = ""
                lines.append("")
            }
            lines.append("\(indent)# \(key.comment)\(key.unit.map { " Unit: \($0)." } ?? "")")
            lines.append("\(indent)\(parts[parts.count - 1]): \(quoted(key))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func quoted(_ key: ConfigurationKey) -> String {
        switch key.kind {
        case .integer, .flag: key.defaultValue
        default: "\"\(key.defaultValue)\""
        }
    }
}
