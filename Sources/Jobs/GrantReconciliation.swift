/// What to do with a grant that KMS lists, by its Name and by what the tables say of it. Pure.
package enum GrantReconciliation {
    package enum Decision: Sendable, Equatable {
        case leave
        case retire
    }

    /// - Parameters:
    ///   - row: the state of the row of this name; nil where there is none.
    ///   - job: the state of the job that the name says; nil where there is none.
    package static func decide(name: String, row: GrantState?, job: JobState?) -> Decision {
        switch GrantName.owner(of: name) {
        // Not one of ours: the retiring principal may have been given to somebody else's grants too.
        case nil: return .leave
        case .job:
            // The intent comes before the grant, so a grant without a job is of a database that was set back; one of a
            // job that ended, or whose row is retired, was created by an attempt that woke too late.
            guard let job else { return .retire }
            return job.isTerminal || row == .retired ? .retire : .leave
        case .process:
            switch row {
            case .intended, .active: return .leave
            case .retiring, .left, .retired, nil: return .retire
            }
        }
    }
}
