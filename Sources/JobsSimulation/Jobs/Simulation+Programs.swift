import Jobs

extension Simulation {
    /// What a worker does next, by what it did and what came of it; nil where it is done with the task.
    static func next(_ phase: SimulatedHolding.Phase, _ reply: SimulatedRequest.Reply) -> SimulatedHolding.Phase? {
        switch reply {
        case .refused: return nil
        case .denied: return .failFinally
        case .unavailable: return phase == .failRetriably || phase == .failFinally ? nil : .failRetriably
        case .notYet: return phase
        default: break
        }
        switch (phase, reply) {
        // Plan
        case (.begin, .number(let grants)): return grants > 0 ? .intend(0) : .finishPlan
        case (.intend(let number), .number(let grants)): return number + 1 < grants ? .intend(number + 1) : .finishPlan
        case (.intend(let number), _): return .createGrant(number)
        case (.createGrant(let number), .number(let id)): return .recordGrant(number, id: id)
        case (.recordGrant(let number, _), .number(let grants)): return number + 1 < grants ? .intend(number + 1) : .finishPlan
        // Work
        case (.look, .position(let position)): return position.map { .dataKey($0) } ?? .finish
        case (.dataKey(let position), _): return .reserve(position)
        case (.reserve(let position), .object(let key)): return .put(key, position: position)
        case (.put(let key, let position), .number(let sealing)): return .record(key, position: position, sealing: sealing)
        case (.record, _): return .look
        // Commit
        case (.beginCommit, .retiring): return .askUnretired
        case (.beginCommit, _): return .readChunks
        case (.readChunks, .objects(let chunks)): return .reserveManifest(chunks)
        case (.reserveManifest(let chunks), .object(let key)): return .putManifest(chunks, key)
        case (.putManifest(let chunks, let key), _): return .confirm(chunks, key)
        case (.confirm(let chunks, let key), _): return .recordManifest(chunks, key)
        case (.recordManifest, _): return .askUnretired
        // Retiring, of commit and clean-up
        case (.askUnretired, .numbers(let numbers)): return numbers.first.map { .retire($0, rest: Array(numbers.dropFirst())) }
        case (.askUnretired, .retiring): return .publish
        case (.askUnretired, .done): return .awaitLeases
        case (.retire, .tooLate): return .abandon
        case (.retire(let number, let rest), _): return .markRetired(number, rest: rest)
        case (.markRetired(_, let rest), _):
            return rest.first.map { .retire($0, rest: Array(rest.dropFirst())) } ?? .askUnretired
        // Clean-up
        case (.awaitLeases, _): return .listGrants
        case (.listGrants, .numbers(let ids)):
            return ids.first.map { .retireListed($0, rest: Array(ids.dropFirst())) } ?? .markAllRetired
        case (.listGrants, .tooLate): return .removeObjects
        case (.retireListed(_, let rest), _):
            return rest.first.map { .retireListed($0, rest: Array(rest.dropFirst())) } ?? .listGrants
        case (.markAllRetired, _): return .removeObjects
        case (.removeObjects, _): return .end
        case (.abandon, .done), (.finish, _), (.finishPlan, _), (.publish, _), (.end, _), (.failRetriably, _), (.failFinally, _):
            return nil
        // A clean-up whose KMS stays away ends with its grants left.
        case (.abandon, _): return .awaitLeases
        default: preconditionFailure("A server answered \(phase) with what it never answers: \(reply).")
        }
    }
}
