import Foundation
import Jobs
import Testing

@Suite struct NamesTests {
    @Test func objectNamesAreWriteOnceByTaskAndFence() throws {
        let incarnation = try #require(UUID(uuidString: "0000AAAA-0000-0000-0000-00000000000B"))
        let task = try #require(TaskID("0000aaaa-0000-0000-0000-00000000000c"))
        let name = ObjectName.make(
            resourceARN: "arn:aws:forecast:us-west-2:123456789012:dataset-import-job/ds/imp", incarnation: incarnation,
            task: task, fence: Fence(3), ordinal: 7)
        #expect(name == "artifacts/dataset-import-job.ds.imp/0000aaaa-0000-0000-0000-00000000000b/\(task)/3/7")
    }

    @Test(arguments: ["", "arn:aws:forecast:::../../x", "arn:a:b:c:d:\u{0}//\u{e9}"])
    func noResourceLeadsOutOfItsFolder(arn: String) {
        let name = ObjectName.make(
            resourceARN: arn, incarnation: UUID(), task: TaskID(), fence: Fence(1), ordinal: 0)
        let segments = name.split(separator: "/", omittingEmptySubsequences: false)
        #expect(segments.count == 6)
        #expect(!segments.contains { $0.isEmpty || $0 == "." || $0 == ".." })
    }

    @Test func grantNamesSayTheirOwner() {
        let job = JobID()
        #expect(GrantName.owner(of: GrantName.job(job, artifact: "out")) == .job(job))
        #expect(GrantName.owner(of: "read/api-1/x") == .process("api-1"))
        for name in ["", "job/x/out", "job/\(job)", "job/\(job)/", "write/a/b", "read//b"] {
            #expect(GrantName.owner(of: name) == nil, "\(name)")
        }
    }

    @Test func reconciliationRetiresWhatNobodyOwns() {
        let job = GrantName.job(JobID(), artifact: "out")
        #expect(GrantReconciliation.decide(name: job, row: .active, job: .running) == .leave)
        #expect(GrantReconciliation.decide(name: job, row: .intended, job: .failing) == .leave)
        #expect(GrantReconciliation.decide(name: job, row: .retired, job: .running) == .retire)
        #expect(GrantReconciliation.decide(name: job, row: .left, job: .failed) == .retire)
        #expect(GrantReconciliation.decide(name: job, row: nil, job: nil) == .retire)
        #expect(GrantReconciliation.decide(name: "read/p/a", row: .active, job: nil) == .leave)
        #expect(GrantReconciliation.decide(name: "read/p/a", row: nil, job: nil) == .retire)
        #expect(GrantReconciliation.decide(name: "somebody else's", row: nil, job: nil) == .leave)
    }

    @Test func signedBytesTellAllFieldsApart() {
        let job = JobID()
        let incarnation = UUID()
        func specification(_ arn: String, _ agent: String, _ document: String) -> JobSpecification {
            JobSpecification(
                job: job, kind: .import, account: "123456789012", resourceARN: arn, incarnation: incarnation,
                sourceAddress: "", userAgent: agent, document: Array(document.utf8))
        }
        let all = [
            specification("ab", "c", "d"), specification("a", "bc", "d"), specification("ab", "cd", ""),
            specification("", "abc", "d"),
        ]
        #expect(Set(all.map(\.signedBytes)).count == all.count)
    }

    @Test func faultPointsRefuseWhatTheyCannotRead() async throws {
        for text in ["x=kill", "task.claimed=explode", "task.claimed:0=kill", "task.claimed:1:2=kill", "task.claimed"] {
            #expect(throws: JobError.self) { try FaultPoints(configuration: text) }
        }
        let faults = try FaultPoints(configuration: "chunk.recorded:2=fail")
        try await faults.reach(.chunkRecorded)
        try await faults.reach(.taskClaimed)
        await #expect(throws: JobError.self) { try await faults.reach(.chunkRecorded) }
        try await faults.reach(.chunkRecorded)
    }

    @Test func aMessageTooLongIsShortened() {
        let bound = JobError.messageCharactersMax
        for count in [bound - 1, bound, bound + 1] {
            let message = JobError.final(
                String(repeating: "e\u{301}", count: count / 2) + "\0" + String(repeating: "x", count: count % 2)
            )
            .message
            #expect(message.unicodeScalars.count == min(count, bound))
        }
    }
}
