import FoundationEssentials
import Kafka
import Logging
import Telemetry

extension OutboxRelay {
    private struct Outcome {
        let row: OutboxRow
        let answer: PublishAnswer
        let error: KafkaError?
    }

    /// Publishes a claimed batch; removes what was acknowledged and gives back the rest. Returns whether Kafka is to be
    /// had: false when a message failed by what may pass.
    func publish(_ batch: [OutboxRow], token: UUID) async throws -> Bool {
        var acknowledged: [Int] = []
        var givenBack: [Duration: [Int]] = [:]
        var (passing, parked) = (0, 0)
        for outcome in await outcomes(of: batch) {
            switch outcome.answer.consequence(claims: outcome.row.claims) {
            case .remove: acknowledged.append(outcome.row.id)
            case .giveBack(let pause): givenBack[pause, default: []].append(outcome.row.id)
            }
            if outcome.answer == .notThrough { passing += 1 }
            guard outcome.answer == .refusedForGood, let error = outcome.error else { continue }
            parked += 1
            logger.error(
                "a message of the outbox is refused",
                metadata: ["row": "\(outcome.row.id)", "topic": "\(outcome.row.topic)", "error": "\(error)"])
        }
        Measure.count(.outboxPublished, by: acknowledged.count)
        Measure.count(.outboxFailures, [("outcome", "released")], by: passing)
        Measure.count(.outboxFailures, [("outcome", "parked")], by: parked)
        if !acknowledged.isEmpty {
            let removed = try await rows.remove(acknowledged, token: token)
            if removed < acknowledged.count {
                logger.notice(
                    "outbox rows were taken over after their lease and are published twice",
                    metadata: ["rows": "\(acknowledged.count - removed)"])
            }
        }
        if passing > 0 {
            logger.warning("messages of the outbox are not through yet", metadata: ["rows": "\(passing)"])
        }
        for (pause, ids) in givenBack {
            let released = try await rows.release(ids, token: token, after: pause)
            if released < ids.count {
                logger.notice(
                    "outbox rows were taken over after their lease", metadata: ["rows": "\(ids.count - released)"])
            }
        }
        return passing == 0
    }

    /// Hands all rows to the publisher at once, oldest first. Those without an answer at the end of `publishing` count as
    /// refused; they may have arrived all the same.
    private func outcomes(of batch: [OutboxRow]) async -> [Outcome] {
        await withTaskGroup(of: Outcome?.self) { group in
            for row in batch {
                group.addTask { [publisher] in
                    do {
                        try await publisher.send(
                            topic: row.topic, key: row.key, value: row.payload, traceparent: row.traceparent)
                        return Outcome(row: row, answer: .acknowledged, error: nil)
                    } catch {
                        let error = error as? KafkaError
                        // A producer that was closed under it says nothing about the message.
                        let isFinal = error.map { !$0.isRetriable && $0.code != .closed } ?? false
                        return Outcome(row: row, answer: isFinal ? .refusedForGood : .notThrough, error: error)
                    }
                }
            }
            group.addTask { [limit = configuration.publishing] in
                try? await Task.sleep(for: limit)
                return nil
            }
            var outcomes: [Outcome] = []
            while outcomes.count < batch.count, let next = await group.next() {
                if let next { outcomes.append(next) } else { group.cancelAll() }
            }
            group.cancelAll()
            return outcomes
        }
    }
}
