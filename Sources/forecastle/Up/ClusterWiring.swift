/// What of an embedded cluster is to be otherwise than usual, by the name of the process: `api`, `worker` for all of them,
/// `worker-1` for one.
struct ClusterWiring: Sendable {
    /// Settings as flags.
    var flags: [String: [String]] = [:]
    var faults = PlannedFaults()
    /// A command that starts the process: the executable and its arguments are put behind it.
    var launchers: [String: [String]] = [:]
    /// Whoever made this runs the broker and writes its address into the data folder.
    var hasBrokerOfItsOwn = false
}
