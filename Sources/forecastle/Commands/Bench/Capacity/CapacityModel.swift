import AWSProtocol

/// What a fleet needs, from what one worker and one job use. Everything is linear but what is said to be otherwise.
struct CapacityModel: Sendable {
    /// Used a second by a worker that has nothing to do, and by a job, by the names of `CapacityReading.kinds`.
    var perIdleWorkerSecond: [String: Double] = [:]
    var perJob: [String: Double] = [:]
    /// Sessions of a worker at PostgreSQL while it works, of an API and of an authority process.
    var workerConnections = 0.0
    var apiConnections = 0.0
    var authorityConnections = 0.0
    /// On disk, with indexes.
    var resourceRowBytes = 0.0
    var auditRowBytes = 0.0

    /// The shape of a fleet's work.
    struct Fleet: Sendable {
        var workers: Int
        var slots: Int
        /// Of a job in its slot.
        var jobSeconds: Double
        /// Between renewals of a key lease.
        var leaseSeconds = 2.0
        /// Requests of a second that one API process answers, and calls that one authority process does, by measurement.
        var apiRequestsPerSecond = 500.0
        var authorityCallsPerSecond = 3000.0

        var jobsPerSecond: Double { Double(workers * slots) / jobSeconds }
    }

    /// A second, by kind.
    func perSecond(_ kind: String, _ fleet: Fleet) -> Double {
        var need = Double(fleet.workers) * (perIdleWorkerSecond[kind] ?? 0) + fleet.jobsPerSecond * (perJob[kind] ?? 0)
        // A job that lasts renews its key lease: a call, and the transaction of its record with some of the log.
        let renewals = Double(fleet.workers * fleet.slots) / fleet.leaseSeconds
        switch kind {
        case "auditRecords": need += renewals
        // Records of calls that come at once go in one transaction; at worst each has its own.
        case "transactions": need += renewals
        case "walBytes": need += renewals * auditRowBytes
        default: break
        }
        return need
    }

    func authorityProcesses(_ fleet: Fleet) -> Double {
        (perSecond("auditRecords", fleet) / fleet.authorityCallsPerSecond).rounded(.up)
    }

    func connections(_ fleet: Fleet) -> Double {
        Double(fleet.workers) * workerConnections + max(1, authorityProcesses(fleet)) * authorityConnections
            + max(1, (fleet.jobsPerSecond / fleet.apiRequestsPerSecond).rounded(.up)) * apiConnections
    }

    /// Rows of tasks at work, which each claim reads through.
    func runningTasks(_ fleet: Fleet) -> Double { Double(fleet.workers * fleet.slots) }

    var json: JSONObject {
        func numbers(_ map: [String: Double]) -> JSONValue {
            .object(JSONObject(map.sorted { $0.key < $1.key }.map { ($0.key, .double($0.value)) }))
        }
        return [
            "perIdleWorkerSecond": numbers(perIdleWorkerSecond), "perJob": numbers(perJob),
            "workerConnections": .double(workerConnections), "apiConnections": .double(apiConnections),
            "authorityConnections": .double(authorityConnections), "resourceRowBytes": .double(resourceRowBytes),
            "auditRowBytes": .double(auditRowBytes),
        ]
    }
}
