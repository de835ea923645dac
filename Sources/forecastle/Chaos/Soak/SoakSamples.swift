import AWSProtocol
import Foundation
import Postgres
import Synchronization
import Verification

/// What was looked at, and when.
final class SoakSamples: Sendable {
    struct Sample: Sendable {
        /// Seconds since the beginning.
        var time: Double
        var kind: Kind
        /// A process with its id, a table with its database, an operation.
        var name: String
        var metric: String
        var value: Double
    }

    enum Kind: String, Sendable {
        case process, table, latency, jobs
    }

    private let began = ContinuousClock.now
    private let state = Mutex<[Sample]>([])
    private let deletions = Mutex(0)

    var all: [Sample] { state.withLock { $0 } }
    var count: Int { state.withLock { $0.count } }

    /// Imports that the customer deleted.
    var deleted: Int { deletions.withLock { $0 } }
    func countDeletion() { deletions.withLock { $0 += 1 } }

    var csv: String {
        "seconds,kind,name,metric,value\n"
            + all.map { "\(Int($0.time)),\($0.kind.rawValue),\($0.name),\($0.metric),\($0.value)\n" }.joined()
    }

    func latency(_ operation: String, _ duration: Duration) {
        add(.latency, operation, "milliseconds", duration / .milliseconds(1))
    }

    private func add(_ kind: Kind, _ name: String, _ metric: String, _ value: Double) {
        let time = began.duration(to: .now) / .seconds(1)
        state.withLock { $0.append(Sample(time: time, kind: kind, name: name, metric: metric, value: value)) }
    }

    /// One look at everything. What does not answer now is left out: somebody may have killed it.
    func take(_ cluster: ChaosCluster, _ load: ChaosLoad) async {
        for member in cluster.workers + ["api", "authority", "broker"] {
            guard let pid = cluster.supervisor.pid(of: member), let bytes = ProcessMemory.residentBytes(of: pid) else { continue }
            let name = "\(member) \(pid)"
            add(.process, name, "resident bytes", Double(bytes))
            for (metric, folder) in [("descriptors", "fd"), ("threads", "task")] {
                if let entries = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/\(folder)") {
                    add(.process, name, metric, Double(entries.count))
                }
            }
        }
        for (database, pool) in [("jobs", cluster.jobs), ("authority", cluster.authority)] {
            let rows = try? await pool.query(
                """
                SELECT c.relname, pg_total_relation_size(c.oid) AS bytes FROM pg_class c
                JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'public' AND c.relkind = 'r' AND pg_total_relation_size(c.oid) > 65536
                """)
            for row in rows ?? [] {
                guard let table = try? row.get("relname", as: String.self), let bytes = try? row.get("bytes", as: Int.self)
                else { continue }
                add(.table, "\(database) \(table)", "bytes", Double(bytes))
            }
        }
        let calls: [(EnvironmentClient.Service, String, JSONObject)] = [
            (.forecast, "ListDatasets", ["MaxResults": 1]), (.kms, "ListKeys", ["Limit": 1]),
        ]
        for (service, operation, body) in calls {
            let started = ContinuousClock.now
            if (try? await load.once.call(service, operation, body)) != nil { latency(operation, started.duration(to: .now)) }
        }
        if let open = try? await cluster.openJobs() { add(.jobs, "open jobs", "count", Double(open)) }
        add(.jobs, "accepted and not deleted", "count", Double(load.accepted.count))
    }
}
