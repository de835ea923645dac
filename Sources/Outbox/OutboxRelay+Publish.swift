import FoundationEssentials
import Kafka
import Logging
import Telemetry

extension OutboxRelay {
    /// What no retry mends is tried again ever more seldom, so that it neither hinders the rest nor gets lost.
    static let longestParking = Duration.seconds(300)

    private enum Outcome {
        case acknowledged(Int)
        case refused(OutboxRow, KafkaError?)
    }

    /// Publishes a claimed batch; removes what was acknowledged and gives back the rest. Returns whether Kafka is to be
    /// had: false when a message failed by what may pass.
    func publish(_ batch: [OutboxRow], token: UUID) async throws -> Bool {
        var acknowledged: [Int] = []
        var passing: [Int] = []
        var parked: [(row: OutboxRow, error: KafkaError)] = []
        for outcome in await outcomes(of: batch) {
            switch outcome {
            case .acknowledged(let id): acknowledged.append(id)
            case .refused(let row, let error?) where !error.isRetriable && error.code != .closed: parked.append((row, error))
            case .refused(let row, _): passing.append(row.id)
            }
        }
        Measure.count(.outboxPublished, by: acknowledged.count)
        Measure.count(.outboxFailures, [("outcome", "released")], by: passing.count)
        Measure.count(.outboxFailures, [("outcome", "parked")], by: parked.count)
        if !acknowledged.isEmpty {
            let removed = try await rows.remove(acknowledged, token: token)
            if removed < acknowledged.count {
                logger.notice(
                    "outbox rows were taken over after their lease and are published twice",
                    metadata: ["rows": "\(acknowledged.count - removed)"])
            }
        }
        if !passing.isEmpty {
            logger.warning("messages of the outbox are not through yet", metadata: ["rows": "\(passing.count)"])
            try await rows.release(passing, token: token, after: .zero)
        }
        for (row, error) in parked {
            logger.error(
                "a message of the outbox is refused",
                metadata: ["row": "\(row.id)", "topic": "\(row.topic)", "error": "\(error)"])
            let pause = Duration.seconds(1) * (1 << min(row.claims, 10))
            try await rows.release([row.id], token: token, after: min(pause, Self.longestParking))
        }
        return passing.isEmpty
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
                        return .acknowledged(row.id)
                    } catch {
                        return .refused(row, error as? KafkaError)
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
