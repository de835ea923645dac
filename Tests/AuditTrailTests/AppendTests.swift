import AWSProtocol
import AuditTrail
import FoundationEssentials
import Postgres
import PostgresTesting
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable)) struct AppendTests {
    private func withTrail(
        changeShards: Int = 0, _ body: (PostgresPool, AuditTrail) async throws -> Void
    ) async throws {
        try await TestDatabase.with(migrations: .authority) { pool in
            try await body(
                pool, try await AuditTrail.open(pool: pool, logger: TestDatabase.logger, changeShards: changeShards))
        }
    }

    private func records(_ pool: PostgresPool) async throws -> Int64 {
        var sum: Int64 = 0
        for head in try await AuditTrail.heads(pool: pool) {
            #expect(try await AuditTrail.verifyChain(of: head.shard, pool: pool) == .intact(records: head.sequence))
            sum += head.sequence
        }
        return sum
    }

    /// The chain's own words: hash and sequence of what the server computed, recomputed here.
    @Test(arguments: [0, 3]) func mutationsAndGroupsOfReadsLeaveNoGapAndNoFork(changeShards: Int) async throws {
        struct GivenUp: Error {}
        try await withTrail(changeShards: changeShards) { pool, trail in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for number in 0..<120 {
                    tasks.addTask {
                        try await trail.record((0...number % 3).map { _ in sampleRecord("Decrypt") })
                    }
                    guard number.isMultiple(of: 3) else { continue }
                    tasks.addTask {
                        do {
                            try await pool.transaction { connection in
                                try await trail.append(
                                    [sampleRecord("CreateGrant", readOnly: false), sampleRecord("RetireGrant", readOnly: false)],
                                    on: connection)
                                // Some change their mind after the head has moved.
                                if number.isMultiple(of: 4) { throw GivenUp() }
                            }
                        } catch is GivenUp {}
                    }
                }
                try await tasks.waitForAll()
            }
            #expect(try await records(pool) == 120 * 2 + 30 * 2)
            let report = try await AuditTrail.verify(pool: pool, evidence: nil)
            #expect(report.findings == [] && report.records == 300 && report.shards == 1 + changeShards)
        }
    }

    @Test func severalProcessesKeepChainsOfTheirOwn() async throws {
        try await withTrail { pool, first in
            let second = try await AuditTrail.open(pool: pool, logger: TestDatabase.logger)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for trail in [first, second] {
                    for _ in 0..<20 { tasks.addTask { try await trail.record(sampleRecord()) } }
                }
                try await tasks.waitForAll()
            }
            #expect(try await AuditTrail.verifyChain(of: first.shard, pool: pool) == .intact(records: 20))
            #expect(try await AuditTrail.verifyChain(of: second.shard, pool: pool) == .intact(records: 20))
        }
    }

    @Test func eachRecordOfABatchKeepsItsOwnResources() async throws {
        try await withTrail { pool, trail in
            let other = ARN(service: "iam", region: "", account: sampleAccount, resource: "role/admin")
            let resources: [[CloudTrailRecord.Resource]] = [
                [], [.key(sampleKey)], [],
                [.key(sampleKey), .init(accountID: sampleAccount, type: "AWS::IAM::Role", arn: "\(other)")],
                [.init(accountID: sampleAccount, type: "AWS::S3::Bucket", arn: "arn:aws:s3:::bucket")], [],
            ]
            try await trail.record(
                resources.map {
                    var record = sampleRecord()
                    record.resources = $0
                    return record
                })
            let rows = try await pool.query("SELECT resource_types, resource_names FROM audit_records ORDER BY sequence")
            let names = try rows.map { try $0.get("resource_names", as: [String].self) }
            #expect(
                names == [
                    [], ["\(sampleKey)", "1234abcd-12ab-34cd-56ef-123456SAMPLE"], [],
                    ["\(sampleKey)", "1234abcd-12ab-34cd-56ef-123456SAMPLE", "\(other)", "admin"], ["arn:aws:s3:::bucket"], [],
                ])
            let types = try rows.map { try $0.get("resource_types", as: [String].self).count }
            #expect(types == [0, 2, 0, 4, 1, 0])
            #expect(try await AuditTrail.verify(pool: pool, evidence: nil).findings == [])
        }
    }

    @Test func aRecordThatTheTableRefusesCostsOnlyItsOwnCallerTheAnswer() async throws {
        try await withTrail { pool, trail in
            var bad = sampleRecord()
            bad.eventName = String(repeating: "x", count: 257)
            let isRecorded = await withTaskGroup(of: (Int, Bool).self) { tasks in
                for number in 0..<20 {
                    let record = number == 7 ? bad : sampleRecord()
                    tasks.addTask { (number, (try? await trail.record(record)) != nil) }
                }
                return await tasks.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            let refused = isRecorded.filter { !$0.value }.keys.sorted()
            #expect(refused == [7])
            let verdict = try await AuditTrail.verifyChain(of: trail.shard, pool: pool)
            #expect(verdict == .intact(records: 19))
        }
    }

    @Test func everyCommitWaitsForTheDiskWhateverTheServersDefaultIs() async throws {
        try await withTrail { pool, trail in
            try await pool.transaction { connection in
                _ = try await connection.query("SET LOCAL synchronous_commit = off")
                try await trail.append(sampleRecord(), on: connection)
                let row = try await connection.query("SELECT current_setting('synchronous_commit') AS value").first
                #expect(try row?.get("value") == "on")
            }
        }
    }

    @Test func aCallIsMarkedOnceItsRecordIsThere() async throws {
        try await withTrail { pool, trail in
            let mark = RecordedMark()
            try await RecordedMark.$current.withValue(mark) {
                #expect(!mark.isSet)
                try await trail.record([])
                #expect(!mark.isSet)
                try await trail.record(sampleRecord())
            }
            #expect(mark.isSet)
            let change = RecordedMark()
            try await RecordedMark.$current.withValue(change) {
                try await pool.transaction { try await trail.append(sampleRecord(), on: $0) }
            }
            #expect(change.isSet)
        }
    }

    @Test func aRecordAboveItsBoundAsAWholeIsKeptWithoutItsParameters() async throws {
        try await withTrail { pool, trail in
            var record = sampleRecord()
            // Each within its own bound, and together beyond that of a record.
            record.requestParameters = ["a": .string(String(repeating: "a", count: 99 * 1024))]
            record.responseElements = ["a": .string(String(repeating: "a", count: 99 * 1024))]
            record.additionalEventData = ["a": .string(String(repeating: "a", count: 27 * 1024))]
            record.resources = (0..<400).map { number in
                .init(
                    accountID: sampleAccount, type: "AWS::KMS::Key",
                    arn: "arn:aws:kms:us-west-2:\(sampleAccount):key/1234abcd-12ab-34cd-56ef-\(number)")
            }
            try await trail.record(record)
            #expect(record.text.utf8.count <= CloudTrailRecord.maximumBytes)
            let text: String = try await pool.query("SELECT record FROM audit_records").first!.get("record")
            let parameters = try JSONValue.parse(text, limits: CloudTrailRecord.limits)["requestParameters"]
            #expect(parameters?["omitted"] == true)
            #expect(try await AuditTrail.verify(pool: pool, evidence: nil).findings == [])
        }
    }
}
