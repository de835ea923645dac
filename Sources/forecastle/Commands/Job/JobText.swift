import AWSProtocol
import Foundation
import Jobs

/// Jobs in words for people and as JSON for machines; the commands of `job` and the demo share them.
extension JobQueries.Summary {
    /// How long it has taken, from acceptance on.
    func seconds(now: Date = Date()) -> Double { (job.finishedAt ?? now).timeIntervalSince(job.acceptedAt) }

    /// Work per second since it began: of input bytes where it counts them, else of rows.
    func rate(now: Date = Date()) -> String? {
        guard let startedAt = job.startedAt else { return nil }
        let seconds = (job.finishedAt ?? now).timeIntervalSince(startedAt)
        guard seconds > 0.01 else { return nil }
        if bytes > 0 { return Amount.bytes(Int64(Double(bytes) / seconds)) + "/s" }
        return rows > 0 ? "\(Int(Double(rows) / seconds)) rows/s" : nil
    }

    var amountOfBytes: String {
        expectedBytes > bytes && !job.state.isTerminal
            ? "\(Amount.bytes(bytes)) of \(Amount.bytes(expectedBytes))" : Amount.bytes(bytes)
    }

    /// `import  running  1.2 s  1/4 tasks  2 chunks  960 rows  39.8 KiB of 1.0 MiB  12.0 KiB/s  1 grant`
    var progress: String {
        var parts = [
            job.kind.rawValue.padding(toLength: 15, withPad: " ", startingAt: 0),
            job.state.rawValue.padding(toLength: 10, withPad: " ", startingAt: 0),
            Amount.time(seconds()),
        ]
        if job.totalTasks > 0 { parts.append("\(finishedTasks)/\(Amount.count(job.totalTasks, "task"))") }
        if chunks > 0 { parts.append(Amount.count(chunks, "chunk")) }
        if rows > 0 { parts.append(Amount.count(rows, "row")) }
        if bytes > 0 || expectedBytes > 0 { parts.append(amountOfBytes) }
        if let rate = rate() { parts.append(rate) }
        if grantsOpen > 0 { parts.append(Amount.count(grantsOpen, "grant")) }
        return parts.joined(separator: "  ")
    }

    /// `{job, kind, account, resource, priority, redrives, state, message, acceptedAt, startedAt, finishedAt, seconds, tasks, tasksDone, chunks,
    /// rows, bytes, bytesExpected, grantsOpen, grantsLeft}`: times in UTC, absent values null.
    var json: JSONObject {
        [
            "job": .string(job.id.description), "kind": .string(job.kind.rawValue), "account": .string(job.account),
            "resource": .string(job.resourceARN), "priority": .int(Int64(job.priority.rawValue)),
            "redrives": .int(Int64(job.redrives)), "state": .string(job.state.rawValue), "message": .optional(job.message),
            "acceptedAt": .time(job.acceptedAt), "startedAt": .time(job.startedAt), "finishedAt": .time(job.finishedAt),
            "seconds": .double((seconds() * 1000).rounded() / 1000), "tasks": .int(Int64(job.totalTasks)),
            "tasksDone": .int(Int64(finishedTasks)), "chunks": .int(Int64(chunks)), "rows": .int(rows), "bytes": .int(bytes),
            "bytesExpected": .int(expectedBytes), "grantsOpen": .int(Int64(grantsOpen)),
            "grantsLeft": .int(Int64(job.grantsLeft)),
        ]
    }
}

extension JobQueries.Detail {
    /// The summary's members, then `taskList` and `grantList`.
    var json: JSONObject {
        var object = summary.json
        object["taskList"] = .array(
            tasks.map { task in
                [
                    "task": .string(task.id.description), "role": .string(task.role.rawValue),
                    "ordinal": .int(Int64(task.ordinal)), "state": .string(task.state.rawValue),
                    "fence": .int(task.fence.rawValue), "attempts": .int(Int64(task.attempts)),
                    "losses": .int(Int64(task.losses)), "worker": .optional(task.worker), "leaseUntil": .time(task.leaseUntil),
                    "chunks": .int(Int64(task.chunks)), "rows": .int(task.rows), "bytes": .int(task.bytes),
                    "bytesExpected": .int(task.expectedBytes), "lastError": .optional(task.lastError),
                    "startedAt": .time(task.startedAt), "finishedAt": .time(task.finishedAt),
                ]
            })
        object["grantList"] = .array(
            grants.map { grant in
                [
                    "name": .string(grant.name), "state": .string(grant.state.rawValue), "grantId": .optional(grant.grantID),
                    "key": .string(grant.intent.keyARN), "role": .optional(grant.intent.roleARN),
                    "operations": .strings(grant.intent.operations), "lastError": .optional(grant.lastError),
                    "intendedAt": .time(grant.intendedAt), "recordedAt": .time(grant.recordedAt),
                    "retiredAt": .time(grant.retiredAt),
                ]
            })
        return object
    }
}

extension JSONValue {
    static func time(_ date: Date?) -> JSONValue { .optional(date.map { AWSTimestamp.extended($0) }) }

    /// An array with one element a line.
    static func lines(_ objects: [JSONObject]) -> String {
        objects.isEmpty ? "[]" : "[\n  " + objects.map(\.serializedString).joined(separator: ",\n  ") + "\n]"
    }
}
