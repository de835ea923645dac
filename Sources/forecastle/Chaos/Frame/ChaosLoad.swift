import AWSClients
import AWSProtocol
import Foundation
import Synchronization
import Verification

/// Imports of a customer whose data hold a canary, and what the customer was told.
final class ChaosLoad: Sendable {
    /// Imports that may be open at once; more are not submitted before some have ended.
    static let openMax = 8
    /// A dataset takes one import at a time: with many more of them than open jobs, one that is asked for is free.
    private static let datasetsPerOpenJob = 3
    private static let itemsOfAJob = 100
    private static let daysOfAnItem = 28

    private struct State {
        var accepted: [AcceptedJob] = []
        var errors: [ClientError] = []
        var unanswered = 0
        var submitted = 0
        var datasets: [String] = []
    }

    let canary: String
    let bucket = DemoCustomer.bucket
    /// Folder of the buckets.
    private let buckets: String
    /// Makes names this run's own in a cluster that others use, too; empty in one of its own.
    private let tag: String
    /// Tries again as any SDK does.
    let client: EnvironmentClient
    /// One attempt, so that every error is seen.
    let once: EnvironmentClient
    let customer: DemoCustomer
    private let state = Mutex(State())

    convenience init(cluster: ChaosCluster, canary: String) async throws {
        let variables = try cluster.environment()
        let account =
            cluster.isOwn
            ? EmbeddedCluster.customer
            : try await EnvironmentClient(environment: AWSEnvironment(variables)).identity().account
        try self.init(
            folder: cluster.folder, buckets: cluster.buckets, configuration: cluster.configuration, variables: variables,
            account: account, isOwn: cluster.isOwn, canary: canary)
    }

    /// - Parameter isOwn: nobody else uses the cluster.
    init(
        folder: DataFolder, buckets: String, configuration: String, variables: [String: String], account: String, isOwn: Bool,
        canary: String
    ) throws {
        self.buckets = buckets
        self.canary = canary
        let environment = AWSEnvironment(variables)
        client = try EnvironmentClient(environment: environment)
        once = try EnvironmentClient(environment: environment, retries: RetryPolicy(attempts: 1), attemptTimeout: .seconds(15))
        tag = isOwn ? "" : "_\(String(UInt32.random(in: 1...UInt32.max), radix: 36))"
        customer = DemoCustomer(client: client, account: account, folder: folder, configuration: configuration)
    }

    var accepted: [AcceptedJob] { state.withLock { $0.accepted } }
    var errors: [ClientError] { state.withLock { $0.errors } }
    var unanswered: Int { state.withLock { $0.unanswered } }

    /// A name that is free, however often the same case ran in this cluster.
    func name(_ text: String) -> String { text + tag }

    /// A role and a key of the customer's.
    func access(_ name: String) async throws -> DemoCustomer.Access { try await customer.access(self.name(name)) }

    /// Data, role, key and datasets.
    func prepare(openJobs: Int = ChaosLoad.openMax) async throws -> DemoCustomer.Access {
        try put("small.csv", items: 2)
        try put("chunked.csv", items: Self.itemsOfAJob)
        let access = try await self.access("Chaos")
        for number in 0..<openJobs * Self.datasetsPerOpenJob {
            let arn = try await dataset("chaos_\(number)", access)
            state.withLock { $0.datasets.append(arn) }
        }
        return access
    }

    func put(_ name: String, items: Int) throws {
        let target = buckets + "/\(bucket)"
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        var text = ""
        for item in 0..<items {
            for day in 1...Self.daysOfAnItem {
                let value = Double((item &* 7919 &+ day &* 104_729) % 99_991) / 97
                text += "item\(item)-\(canary),2020-01-\(day < 10 ? "0" : "")\(day) 00:00:00,\(value)\n"
            }
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(target)/\(name)"))
    }

    func dataset(_ name: String, _ access: DemoCustomer.Access) async throws -> String {
        let answer = try await client.call(
            .forecast, "CreateDataset",
            [
                "DatasetName": .string(self.name(name)), "Domain": "CUSTOM", "DatasetType": "TARGET_TIME_SERIES",
                "DataFrequency": "D",
                "Schema": [
                    "Attributes": [
                        ["AttributeName": "item_id", "AttributeType": "string"],
                        ["AttributeName": "timestamp", "AttributeType": "timestamp"],
                        ["AttributeName": "target_value", "AttributeType": "float"],
                    ]
                ],
                "EncryptionConfig": access.configuration,
            ])
        guard let arn = answer["DatasetArn"]?.stringValue else { throw ChaosFailure(description: "CreateDataset gave no ARN") }
        return arn
    }

    /// Submits one import. Nil where the API did not accept it; what it answered is noted.
    func submit(_ access: DemoCustomer.Access, file: String = "chunked.csv", dataset: String? = nil) async -> String? {
        let (number, datasets) = state.withLock { state in
            state.submitted += 1
            return (state.submitted, state.datasets)
        }
        return try? await create(
            "job_\(number)", dataset: dataset ?? datasets[number % datasets.count], file: file, access, by: once)
    }

    /// Creates an import by its name and notes the answer.
    func create(
        _ name: String, dataset: String? = nil, file: String = "chunked.csv", _ access: DemoCustomer.Access,
        by client: EnvironmentClient
    ) async throws -> String {
        let dataset = dataset ?? state.withLock { $0.datasets[0] }
        let answer = try await noting("CreateDatasetImportJob") {
            try await client.call(
                .forecast, "CreateDatasetImportJob",
                [
                    "DatasetImportJobName": .string(self.name(name)), "DatasetArn": .string(dataset),
                    "TimestampFormat": "yyyy-MM-dd HH:mm:ss",
                    "DataSource": [
                        "S3Config": ["Path": .string("s3://\(bucket)/\(file)"), "RoleArn": .string(access.role)]
                    ],
                ])
        }
        guard let arn = answer["DatasetImportJobArn"]?.stringValue else {
            throw ChaosFailure(description: "CreateDatasetImportJob gave no ARN")
        }
        accept(arn)
        return arn
    }

    func accept(_ arn: String) {
        state.withLock { $0.accepted.append(AcceptedJob(arn: arn, time: AWSTimestamp.extended(Date()))) }
    }

    /// No longer to be looked for: the customer deletes it.
    func forget(_ arn: String) { state.withLock { state in state.accepted.removeAll { $0.arn == arn } } }

    /// Notes an error that the API answered, or that it answered nothing.
    func noting<R>(_ operation: String, _ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch let failure as EnvironmentClient.Failure {
            state.withLock { state in
                // With a cause it is the client's own word for no answer.
                if failure.error.cause == nil {
                    state.errors.append(
                        ClientError(operation: operation, code: failure.error.code, status: failure.error.status))
                } else {
                    state.unanswered += 1
                }
            }
            throw failure
        }
    }

    /// Submits imports one after the other for as long as `body` runs, as long as not too many are open.
    func steadily<R: Sendable>(
        _ access: DemoCustomer.Access, on cluster: ChaosCluster, every pause: Duration = .milliseconds(300),
        file: String = "chunked.csv", _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    // Where the database does not say, the load goes on: the API is asked whatever happens.
                    let open = (try? await cluster.openJobs()) ?? 0
                    if open < Self.openMax { _ = await self.submit(access, file: file) }
                    try? await Task.sleep(for: pause)
                }
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let answer = try await group.next() {
                if let answer {
                    group.cancelAll()
                    // An answer on its way is awaited: what was accepted must be noted.
                    try await group.waitForAll()
                    return answer
                }
            }
            throw ChaosFailure(description: "the load ended before the fault did")
        }
    }

    func records(in folder: String) throws -> (accepted: String, errors: String) {
        let (accepted, errors) = state.withLock { ($0.accepted, $0.errors) }
        let files = (folder + "/accepted.jsonl", folder + "/client-errors.jsonl")
        try Data(accepted.map { $0.json.serializedString + "\n" }.joined().utf8).write(to: URL(fileURLWithPath: files.0))
        try Data(errors.map { $0.json.serializedString + "\n" }.joined().utf8).write(to: URL(fileURLWithPath: files.1))
        return files
    }
}
