import AWSProtocol

/// Where customers' keys and roles live and what follows from it, for `doctor`.
enum KeysReport {
    static func lines(_ values: ConfigurationValues) -> [(String, String)] {
        let servers = KeyServers(values)
        var lines = [("key leases renewed", "every \(servers.lease)")]
        guard servers.areElsewhere else {
            return [("customers' keys and roles", "the authority, \(values.string("authority.endpoint"))")] + lines
        }
        lines.insert(("customers' keys", values.string("keys.endpoint")), at: 0)
        lines.insert(("customers' roles", values.string("sts.endpoint")), at: 1)
        lines.append(("default keys", "the authority, \(values.string("authority.endpoint"))"))
        let check =
            switch values.string("keys.caller_check") {
            case "simulate": "IAM at \(values.string("iam.endpoint")) simulates the caller's policies"
            case "map": "the policies of \(values.string("keys.callers_file"))"
            case "none": "none: whoever may pass a role may use what the role may use"
            default: "none, so operations that name a key or a role are refused"
            }
        lines.append(("callers' own rights there", check))
        return lines
    }

    static func problems(_ values: ConfigurationValues) -> [String] {
        let servers = KeyServers(values)
        guard servers.areElsewhere else { return [] }
        var problems: [String] = []
        for key in ["keys.worker_role", "keys.reader_role", "keys.sweeper_role", "aws.credentials_file"]
        where values.string(key).isEmpty {
            problems.append("\(key): must be set, because keys.endpoint is")
        }
        if values.string("keys.caller_check") == "refuse" {
            problems.append("keys.caller_check: is refuse, so every operation that names a key or a role is refused")
        }
        do {
            _ = try servers.callers()
        } catch {
            problems.append("\(error)")
        }
        return problems
    }
}
