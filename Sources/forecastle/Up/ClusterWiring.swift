/// What of an embedded cluster is to be otherwise than usual, by the name of the process: `api`, `worker` for all of them,
/// `worker-1` for one.
struct ClusterWiring: Sendable {
    /// Settings as flags; of `broker` its options.
    var flags: [String: [String]] = [:]
    var faults = PlannedFaults()
    /// A command that starts the process: the executable and its arguments are put behind it.
    var launchers: [String: [String]] = [:]
    /// Where customers reach the API, if not where it listens.
    var clientEndpoint: String?
}
