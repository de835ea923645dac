import AWSProtocol

/// What one withdrawal showed.
struct WithdrawalFinding: Sendable {
    let kind: WithdrawalKind
    let account: String
    /// From the reply to the last frame sealed or opened under what was withdrawn; to a caller's last success. Nought where
    /// there was none behind the reply.
    var lastUseSeconds = 0.0
    /// Key leases in use at that moment, those that ended by loss, secrets that were alive and wiped before any handler, handlers.
    var leases = 0
    var lost = 0
    var wiped = 0
    var handlers = 0
    var failed = 0
    /// Jobs that were published behind the reply, all of them confirmed before it.
    var confirmedBefore = 0
    /// Calls or submissions that were refused behind the reply.
    var refused = 0
    /// Other accounts' sealed bytes a second, in the window before the act and in the one behind it.
    var othersBefore = 0.0
    var othersBehind = 0.0
    /// What must not be.
    var violations: [String] = []

    var json: JSONValue {
        [
            "act": .string(kind.rawValue), "effect": .string(kind.effect.rawValue), "account": .string(account),
            "lastUseMilliseconds": .double(lastUseSeconds * 1000), "leases": .int(Int64(leases)), "lost": .int(Int64(lost)),
            "wiped": .int(Int64(wiped)), "handlers": .int(Int64(handlers)), "failedJobs": .int(Int64(failed)),
            "publishedAfterConfirmation": .int(Int64(confirmedBefore)), "refused": .int(Int64(refused)),
            "othersBytesPerSecondBefore": .double(othersBefore), "othersBytesPerSecondBehind": .double(othersBehind),
            "violations": .strings(violations),
        ]
    }
}
