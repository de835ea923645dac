import AWSClients
import AWSProtocol
import Jobs
import ObjectStore
import Synchronization

/// A customer's bucket where no S3 decides what the role may do in it: a directory, or one that Forecastle uses with a key of its
/// own. Each object and each listing is asked about at the authority, as the job's session of the role, before it is touched.
struct GuardedBucket: ObjectStore {
    private let store: any ObjectStore
    private let access: BucketAccess
    /// Behind an object that is looked at.
    private let looking: BucketAccessRequest.Action

    init(_ store: any ObjectStore, _ access: BucketAccess, for use: CustomerBuckets.Use) {
        self.store = store
        self.access = access
        looking = use == .source ? .getObject : .putObject
    }

    /// Throws `.denied` for the first of them that the role may not read.
    func requireReadable(_ keys: [ObjectKey]) async throws {
        try await access.require(keys.map { .init(looking, $0.name) })
    }

    func writer(_ key: ObjectKey) async throws -> any ObjectWriter {
        try await access.require([.init(.putObject, key.name)])
        return try await store.writer(key)
    }

    func reader(_ key: ObjectKey, from offset: Int) async throws -> any ObjectReader {
        try await requireReadable([key])
        return try await store.reader(key, from: offset)
    }

    func get(_ key: ObjectKey, range: Range<Int>?, ifVersion: String?) async throws -> [UInt8] {
        try await requireReadable([key])
        return try await store.get(key, range: range, ifVersion: ifVersion)
    }

    func head(_ key: ObjectKey) async throws -> ObjectInfo? {
        try await requireReadable([key])
        return try await store.head(key)
    }

    func list(prefix: ObjectPrefix, after: ObjectKey?, limit: Int) async throws -> [ObjectInfo] {
        try await access.require([.init(.listBucket, prefix.text)])
        return try await store.list(prefix: prefix, after: after, limit: limit)
    }

    func delete(_ key: ObjectKey) async throws {
        try await access.require([.init(.putObject, key.name)])
        try await store.delete(key)
    }

    func collectAbandonedUploads() async throws -> Int { try await store.collectAbandonedUploads() }
}

/// The accesses of a process: all tasks of a job that it works on share what was decided for one of them.
final class BucketAccesses: Sendable {
    private struct Key: Hashable {
        var bucket: String
        var role: String
        var purpose: RoleSessions.Purpose
    }

    private static let keptMax = 256
    private let kept = Mutex<[Key: BucketAccess]>([:])

    func access(
        to bucket: BucketName, role: String, _ purpose: RoleSessions.Purpose, _ roles: RoleSessions
    ) -> BucketAccess? {
        let key = Key(bucket: bucket.name, role: role, purpose: purpose)
        return kept.withLock { kept in
            if let access = kept[key] { return access }
            guard let access = BucketAccess(bucket: bucket, role: role, purpose, roles) else { return nil }
            // Nothing is lost with them but what would be asked again.
            if kept.count == Self.keptMax { kept.removeAll() }
            kept[key] = access
            return access
        }
    }
}

/// What one session of a role may do in one bucket. What was allowed is good for some seconds: a file is read in many pieces.
final class BucketAccess: Sendable {
    typealias Decision = BucketAccessRequest.Decision

    /// As long as S3 itself may take until a changed policy holds everywhere.
    private static let goodFor: Duration = .seconds(5)
    private static let keptMax = 10_000

    private let bucket: String
    private let role: String
    private let purpose: RoleSessions.Purpose
    private let roles: RoleSessions
    private let authority: AuthorityClient
    private let allowed = Mutex<[Decision: ContinuousClock.Instant]>([:])

    /// Nil where the role is another server's: nobody here knows its policies.
    init?(bucket: BucketName, role: String, _ purpose: RoleSessions.Purpose, _ roles: RoleSessions) {
        guard let authority = roles.authority(role: role, purpose) else { return nil }
        self.bucket = bucket.name
        self.role = role
        self.purpose = purpose
        self.roles = roles
        self.authority = authority
    }

    /// Throws `ObjectStoreError.denied` with the authority's reason; `AWSError` where the role can't be assumed or nobody answers.
    func require(_ decisions: [Decision]) async throws {
        let now = ContinuousClock.now
        let open = allowed.withLock { allowed in
            decisions.filter { allowed[$0].map { now - $0 >= Self.goodFor } ?? true }
        }
        for start in stride(from: 0, to: open.count, by: BucketAccessRequest.maximumDecisions) {
            let some = Array(open[start..<min(start + BucketAccessRequest.maximumDecisions, open.count)])
            let denials = try await ask(some)
            if let denial = denials.lazy.compactMap({ $0 }).first { throw ObjectStoreError(.denied, denial) }
            allowed.withLock { allowed in
                if allowed.count + some.count > Self.keptMax { allowed.removeAll() }
                for decision in some { allowed[decision] = now }
            }
        }
    }

    private func ask(_ decisions: [Decision]) async throws -> [String?] {
        do {
            return try await authority.decide(BucketAccessRequest(bucket: bucket, decisions: decisions))
        } catch let error where RoleSessions.isGone(error) {
            // The role was deleted after this session was made: whoever tries again hears what is true of it now.
            roles.forget(role: role, purpose)
            throw error
        }
    }
}
