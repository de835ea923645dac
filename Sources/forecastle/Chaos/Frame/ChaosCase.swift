/// One fault of the matrix: what is done to a cluster, and what is to come of it.
protocol ChaosCase: Sendable {
    /// Of the matrix in docs/chaos.md.
    var number: Int { get }
    var title: String { get }
    var injects: String { get }
    var expects: String { get }
    /// What it needs to be done on a cluster that runs already.
    var reach: ChaosReach { get }
    /// What the machine must have for it; otherwise it is skipped and says why.
    var needs: [ChaosNeed] { get }
    /// Whether it is one of those that every change has to pass.
    var isQuick: Bool { get }
    var setup: ChaosSetup { get }
    /// Far more than it takes on a busy machine.
    var limit: Duration { get }
    /// Injects, heals, waits and checks what this case expects besides the invariants, which are checked after it.
    func run(_ trial: ChaosTrial) async throws
}

extension ChaosCase {
    var reach: ChaosReach { .processes }
    var needs: [ChaosNeed] { [] }
    var isQuick: Bool { false }
    var setup: ChaosSetup { ChaosSetup() }
    var limit: Duration { .seconds(300) }
}

/// How far into a cluster a case reaches.
enum ChaosReach: Sendable {
    /// It stops, kills, rewires or restarts processes, or needs settings of its own: only in a cluster of its own.
    case processes
    /// Clients, both databases and the store's folder are enough: in a running cluster, too.
    case cluster
}

/// A folder of a cluster that a case wants to be a small disk.
enum ChaosDisk: Sendable, Hashable {
    case postgres, artifacts, vault

    func path(in folder: DataFolder) -> String {
        switch self {
        case .postgres: folder.postgres
        case .artifacts: folder.artifacts
        case .vault: folder.vault
        }
    }
}

/// The cluster that a case wants.
struct ChaosSetup: Sendable {
    var workers = 2
    /// Of the embedded cluster of Kafka, which takes orders of faults.
    var brokers = 1
    /// Connections that go through a fault proxy.
    var routes: Set<ChaosRoute> = []
    var launchers: [String: [String]] = [:]
    /// Settings besides `defaults`, by process.
    var flags: [String: [String]] = [:]
    /// Bytes of memory file systems in the place of folders.
    var disks: [ChaosDisk: Int] = [:]

    /// Short leases and small pieces, so that every job has a middle and every recovery a short wait.
    static let leaseMilliseconds = 3000
    static let beatMilliseconds = 300
    static let defaults = [
        "--worker-lease-ms=\(leaseMilliseconds)", "--worker-beat-ms=\(beatMilliseconds)", "--worker-key-lease-ms=500",
        "--worker-chunk-bytes=65536", "--worker-task-bytes=262144", "--worker-retire-deadline-s=60",
        "--worker-sweep-ms=500",
    ]

    static let lease: Duration = .milliseconds(leaseMilliseconds)
}

/// A connection between two parts of the cluster that a fault proxy stands in.
enum ChaosRoute: String, Sendable, CaseIterable {
    /// The first worker's to the jobs database.
    case workerPostgres
    case apiPostgres
    /// The first worker's to KMS and STS.
    case workerAuthority
    /// The customer's to the API.
    case clientAPI
}
