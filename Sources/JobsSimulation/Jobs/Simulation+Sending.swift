import Jobs

extension Simulation {
    mutating func claim(_ worker: Int) {
        let state = workers[worker]
        guard state.isAlive, !state.isPaused, !state.isClaiming, state.holdings.count < settings.slots else { return }
        workers[worker].isClaiming = true
        send(worker, .claim)
    }

    mutating func beat(_ worker: Int) {
        guard workers[worker].isAlive, !workers[worker].isPaused else { return }
        letGo(worker)
        let held = workers[worker].holdings.map { (task: $0.task, fence: $0.fence) }
        if !held.isEmpty { send(worker, .beat(held)) }
    }

    /// - Parameter choice: of the workers that have something to do.
    mutating func work(_ choice: Int, _ number: Int) {
        for worker in workers.indices where !workers[worker].isPaused { letGo(worker) }
        let busy = workers.indices.filter { index in
            !workers[index].isPaused && workers[index].holdings.contains { !$0.isWaiting }
        }
        guard !busy.isEmpty else { return }
        let worker = busy[choice % busy.count]
        let ready = workers[worker].holdings.indices.filter { !workers[worker].holdings[$0].isWaiting }
        let index = ready[number % ready.count]
        workers[worker].holdings[index].isWaiting = true
        let holding = workers[worker].holdings[index]
        send(worker, .work(holding.phase, task: holding.task, fence: holding.fence))
    }

    /// A lease that the worker may not believe in any more is dropped before anything is done under it.
    private mutating func letGo(_ worker: Int) {
        let believed = workers[worker].holdings.filter { believes($0, worker) }
        if believed.count < workers[worker].holdings.count { workers[worker].holdings = believed }
    }

    private mutating func send(_ worker: Int, _ what: SimulatedRequest.What) {
        requests.append(
            SimulatedRequest(
                worker: worker, life: workers[worker].life, what: what, sentAt: now, sentByItsClock: localTime(worker)))
    }

    /// The answer of a request reaches its worker, if that still lives and listens. A paused worker finds it when it goes on.
    mutating func receive(_ index: Int) {
        let request = requests[index]
        guard workers[request.worker].isAlive, workers[request.worker].life == request.life, let reply = request.reply else {
            requests.remove(at: index)
            return
        }
        if workers[request.worker].isPaused { return }
        requests.remove(at: index)
        switch request.what {
        case .claim:
            workers[request.worker].isClaiming = false
            guard case .claimed(let tasks) = reply else { return }
            for (task, fence) in tasks {
                workers[request.worker].holdings.append(
                    SimulatedHolding(
                        task: task, fence: fence, window: window(request),
                        phase: SimulatedHolding.firstPhase(of: database.tasks[task].role)))
            }
        case .beat(let held):
            guard case .renewed(let answers) = reply else { return }
            for ((task, fence), isOurs) in zip(held, answers) {
                guard let at = holding(request.worker, task, fence) else { continue }
                if isOurs {
                    workers[request.worker].holdings[at].window.extend(to: window(request))
                } else {
                    workers[request.worker].holdings.remove(at: at)
                }
            }
        case .work(let phase, let task, let fence):
            guard let at = holding(request.worker, task, fence) else { return }
            workers[request.worker].holdings[at].isWaiting = false
            if let next = Self.next(phase, reply) {
                workers[request.worker].holdings[at].phase = next
            } else {
                workers[request.worker].holdings.remove(at: at)
            }
        }
    }

    private func window(_ request: SimulatedRequest) -> TrustWindow {
        TrustWindow(
            from: request.sentByItsClock, lease: .milliseconds(settings.lease), margin: .milliseconds(settings.trustMargin))
    }

    private func holding(_ worker: Int, _ task: Int, _ fence: Fence) -> Int? {
        workers[worker].holdings.firstIndex { $0.task == task && $0.fence == fence }
    }
}
