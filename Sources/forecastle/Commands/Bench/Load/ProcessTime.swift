import Foundation
import Glibc
import Synchronization

/// CPU time of a process that goes on running, from /proc: user and system time of all its threads.
enum ProcessTime {
    /// Nil for a process that is gone.
    static func seconds(of pid: pid_t) -> Double? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let end = text.lastIndex(of: ")")
        else {
            return nil
        }
        // Fields 14 and 15; the program's name before them may hold anything.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Of a process and its children that run now: a database server with its sessions.
    static func secondsWithChildren(of pid: pid_t) -> Double? {
        let children = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
        let pids = [pid] + children.split(separator: " ").compactMap { pid_t($0) }
        let all = pids.compactMap { seconds(of: $0) }
        return all.isEmpty ? nil : all.reduce(0, +)
    }
}

/// CPU time of two processes over the counted part of a run.
final class ProcessTimeWindow: Sendable {
    private let process: pid_t
    private let database: pid_t?
    private let state = Mutex<(process: Double, database: Double)>((0, 0))

    init(process: pid_t, database: pid_t?) {
        self.process = process
        self.database = database
    }

    func mark(isStart: Bool) {
        let process = ProcessTime.seconds(of: process) ?? .nan
        let database = database.flatMap { ProcessTime.secondsWithChildren(of: $0) } ?? .nan
        state.withLock { state in
            state = isStart ? (process, database) : (process - state.process, database - state.database)
        }
    }

    var seconds: Double { state.withLock { $0.process } }
    var databaseSeconds: Double? { database == nil ? nil : state.withLock { $0.database } }
}
