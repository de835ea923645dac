import Foundation
import Postgres

/// Holds what came behind a withdrawal against what must come.
struct DeedInspection: Sendable {
    let deed: Deed
    let moment: Deed.Moment

    private var site: RevocationSite { deed.site }
    private var subject: RevocationSubject { deed.subject }
    private static let patience: Duration = .seconds(90)

    func inspect(_ finding: inout WithdrawalFinding) async throws {
        switch deed.kind.effect {
        case .keyUse:
            let jobs = try await endedJobs()
            try site.trace.refresh()
            lookAtFrames(&finding)
            try await lookAtJobs(jobs, &finding)
            try await lookAtUses(&finding)
        case .nextSession: try await lookAtSessions(&finding)
        case .caller: break
        }
        try await lookForTheAct(&finding)
    }

    private func concerns(_ resource: String) -> Bool { moment.resource.map { $0 == resource } ?? true }

    // MARK: Frames

    private func lookAtFrames(_ finding: inout WithdrawalFinding) {
        let lines = site.trace.lines(of: subject.key) { concerns($0.resource) }
        let last = lines.filter { $0.event.isFrame && $0.at > moment.replied }.map(\.at).max()
        finding.lastUseSeconds = last.map { Double($0 - moment.replied) / 1e9 } ?? 0
        let held = site.trace.holders(of: subject.key, at: moment.replied).filter { concerns($0.resource) }
        finding.leases = held.count
        // From the act on: the authority acts, and announces, before it replies.
        let ends = lines.filter { $0.event.isEnd && $0.at > moment.asked }
        for line in ends where line.event == .lost {
            finding.lost += 1
            finding.wiped += line.wiped
            finding.handlers += line.handlers
        }
        let ended = Set(ends.map { FrameTraceLog.Holder(process: $0.process, resource: $0.resource) })
        for holder in held.subtracting(ended) {
            finding.violations.append("worker \(holder.process) never let go of its key lease for \(holder.resource)")
        }
    }

    // MARK: Jobs

    private struct Job {
        let resource: String
        let state: String
        let isGrantLeft: Bool
    }

    /// Jobs of the key that were open at the reply, once they have ended.
    private func endedJobs() async throws -> [Job] {
        let resources = moment.resource.map { [$0] } ?? subject.resources
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let rows = try await site.jobs.query(
                """
                SELECT j.resource, j.state, j.finished_at IS NULL AS is_open,
                       EXISTS (SELECT FROM job_grant g WHERE g.job = j.id AND g.state <> 'retired') AS grant_left
                FROM job j WHERE j.resource = ANY(\(resources)) AND j.accepted_at < \(moment.repliedAt)
                  AND (j.finished_at IS NULL OR j.finished_at > \(moment.repliedAt))
                """)
            if try rows.allSatisfy({ try !$0.get("is_open", as: Bool.self) }) {
                return try rows.map {
                    Job(
                        resource: try $0.get("resource"), state: try $0.get("state"), isGrantLeft: try $0.get("grant_left"))
                }
            }
            guard ContinuousClock.now < deadline else {
                throw ChaosFailure(description: "\(deed.kind.rawValue): jobs of the key did not end within \(Self.patience)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func lookAtJobs(_ jobs: [Job], _ finding: inout WithdrawalFinding) async throws {
        for job in jobs {
            if job.isGrantLeft { finding.violations.append("\(job.resource) ended with a grant that is not retired") }
            guard job.state == "succeeded" else {
                finding.failed += 1
                continue
            }
            // What is published was confirmed by KMS just before. Asked before the reply, its answer may be older than the act.
            let confirmed = site.trace.lines(of: subject.key) { $0.resource == job.resource && $0.event == .confirmed }
            if let asked = confirmed.map(\.asked).max(), asked < moment.replied {
                finding.confirmedBefore += 1
            } else {
                finding.violations.append("\(job.resource) was published without a confirmation from before the reply")
            }
        }
    }

    // MARK: Trail

    /// Uses of the key that the trail has from behind the reply.
    private func lookAtUses(_ finding: inout WithdrawalFinding) async throws {
        let part = moment.resource ?? ""
        let uses =
            try await site.authority.query(
                """
                SELECT count(*) AS n FROM audit_records
                WHERE event_name IN ('GenerateDataKey', 'Decrypt') AND \(subject.key)::text = ANY (resource_names)
                  AND recorded_at > \(moment.repliedAt) AND NOT record::jsonb ? 'errorCode'
                  AND position(\(part)::text IN record) > 0
                """
            ).first?.get("n", as: Int.self) ?? 0
        if uses > 0 { finding.violations.append("the trail has \(uses) uses of the key from behind the reply") }
    }

    /// Sessions of the role, and submissions through it, from behind the reply.
    private func lookAtSessions(_ finding: inout WithdrawalFinding) async throws {
        let sessions =
            try await site.authority.query(
                """
                SELECT count(*) AS n FROM audit_records
                WHERE event_name = 'AssumeRole' AND position(\("role/" + subject.roleName)::text IN record) > 0
                  AND recorded_at > \(moment.repliedAt) AND NOT record::jsonb ? 'errorCode'
                """
            ).first?.get("n", as: Int.self) ?? 0
        if sessions > 0 { finding.violations.append("the trail has \(sessions) sessions of the role from behind the reply") }
        let behind = subject.attempts.filter { $0.beganAt > moment.replied }
        finding.refused = behind.count { !$0.accepted }
        let accepted = behind.count { $0.accepted }
        if accepted > 0 { finding.violations.append("\(accepted) imports were accepted through the role behind the reply") }
        // For the record: a grant that exists stays valid, so frames behind the reply are no fault.
        try site.trace.refresh()
        let last = site.trace.lines(of: subject.key) { $0.event.isFrame && $0.at > moment.replied }.map(\.at).max()
        finding.lastUseSeconds = last.map { Double($0 - moment.replied) / 1e9 } ?? 0
    }

    private func lookForTheAct(_ finding: inout WithdrawalFinding) async throws {
        let names = [subject.key, subject.roleName]
        let acts =
            try await site.authority.query(
                """
                SELECT count(*) AS n FROM audit_records
                WHERE event_name = \(deed.kind.eventName) AND NOT record::jsonb ? 'errorCode'
                  AND recorded_at BETWEEN \(moment.repliedAt.addingTimeInterval(-60)) AND \(moment.repliedAt)
                  AND EXISTS (SELECT FROM unnest(\(names)) AS n (name) WHERE position(n.name IN record) > 0)
                """
            ).first?.get("n", as: Int.self) ?? 0
        if acts == 0 { finding.violations.append("the trail does not have the act before its reply") }
    }
}
