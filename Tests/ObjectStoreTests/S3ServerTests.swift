import AWSClients
import AWSProtocol
import FaultInjection
import Foundation
import Logging
import ObjectStore
import Secrets
import ServiceTesting
import Synchronization
import Testing

/// A real S3 server, where one is running: FORECASTLE_TEST_S3 holds what `Tests/Clients/s3_server.py` prints, and `bucket`.
enum TestS3 {
    struct Place: Decodable, Sendable {
        var endpoint: String
        var region: String
        var access_key: String
        var secret_key: String
        var bucket: String

        func store(
            endpoint: String? = nil, bucket: String? = nil, secret: String? = nil, clockAhead: TimeInterval = 0,
            folder: String = UUID().uuidString + "/", onPause: @escaping @Sendable () -> Void = {}
        ) throws -> S3ObjectStore {
            let credentials = AWSCredentials(accessKeyID: access_key, secretAccessKey: Redacted(secret ?? secret_key))
            let client = S3Client(
                endpoint: S3Endpoint(endpoint: endpoint ?? self.endpoint, region: region, addressing: .path),
                credentials: StaticCredentials(credentials), transport: HTTPTransport(),
                surroundings: .init(
                    now: { Date().addingTimeInterval(clockAhead) },
                    sleep: { pause in
                        onPause()
                        try await Task.sleep(for: pause)
                    }))
            return try S3ObjectStore(
                client: client, bucket: try BucketName(bucket ?? self.bucket), folder: try ObjectPrefix(folder))
        }
    }

    static let place = ProcessInfo.processInfo.environment["FORECASTLE_TEST_S3"].flatMap {
        try? JSONDecoder().decode(Place.self, from: Data($0.utf8))
    }
}

@Suite(.enabled(if: TestS3.place != nil, "FORECASTLE_TEST_S3 names no server")) struct S3ServerTests {
    private let place = TestS3.place!

    /// All but the race: the server looks at the name when a request begins and when it has the body, not in one step with naming it.
    @Test func aRealServerConforms() async throws {
        try await ObjectStoreConformance.all(besides: [.race]) { try place.store() }
    }

    @Test func largeObjectsAreUploadedAndReadInParts() async throws {
        let store = try place.store()
        let key = try ObjectKey("large")
        let bytes = (0..<(2 * S3Client.pieceBytes + 12_345)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11) }
        let published = try await store.put(key, bytes)
        #expect(try await store.holds(published))
        let edge = S3Client.pieceBytes
        #expect(try await store.get(key, range: edge - 5..<edge + 5) == Array(bytes[edge - 5..<edge + 5]))
        let error = await #expect(throws: ObjectStoreError.self) { try await store.put(key, bytes) }
        #expect(error?.code == .alreadyExists)
        #expect(try await store.collectAbandonedUploads(now: .distantFuture) == 0)
    }

    @Test func theServerKeepsNamesFromBeingWrittenTwice() async throws {
        let store = try place.store()
        try await store.checkWriteOnce()
        #expect(try await store.list(prefix: .all).isEmpty)
        #expect(abs(try #require(try await store.checkReachable())) < 900)
    }

    @Test func anUploadLeftBehindIsCollected() async throws {
        let store = try place.store()
        let writer = try await store.writer(try ObjectKey("left"))
        try await writer.append([UInt8](repeating: 1, count: S3Client.pieceBytes + 1))
        #expect(try await store.collectAbandonedUploads() == 0)
        #expect(try await store.collectAbandonedUploads(now: .distantFuture) == 1)
        let error = await #expect(throws: ObjectStoreError.self) { _ = try await writer.publish() }
        #expect(error?.code == .unavailable)
        #expect(try await store.list(prefix: .all).isEmpty)
    }

    @Test func faultsOfTheCallerAreTold() async throws {
        let key = try ObjectKey("k")
        let wrongSecret = await #expect(throws: ObjectStoreError.self) { try await place.store(secret: "wrong").put(key, [1]) }
        #expect(wrongSecret?.code == .denied && wrongSecret?.message.contains("SignatureDoesNotMatch") == true)
        let noBucket = await #expect(throws: ObjectStoreError.self) {
            try await place.store(bucket: "no-such-bucket").put(key, [1])
        }
        #expect(noBucket?.code == .notFound && noBucket?.message == "there is no bucket no-such-bucket")
        let skewed = await #expect(throws: ObjectStoreError.self) { try await place.store(clockAhead: 3600).put(key, [1]) }
        #expect(skewed?.code == .unavailable && skewed?.message.contains("clocks") == true)
    }

    /// Case 36: a connection is reset in the middle of a part, and the answer to the last step is lost.
    @Test func anUploadThatIsCutOffIsFinishedAndWhole() async throws {
        let port = try #require(URL(string: place.endpoint)?.port)
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let proxy = FaultProxy(to: .init(host: "127.0.0.1", port: port), seed: 1, logger: logger) { bound.yield($0) }
        let pauses = Atomic(0)
        try await with(proxy) { [place] in
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            // The network is well again once the first request has failed.
            let store = try place.store(endpoint: "http://127.0.0.1:\(port)") {
                pauses.add(1, ordering: .relaxed)
                proxy.heal()
            }
            let key = try ObjectKey("cut")
            let writer = try await store.writer(key)
            proxy.set(Toxics(ending: .reset, endingAfterBytes: 3_000_000), .up)
            try await writer.append([UInt8](repeating: 5, count: 2 * S3Client.pieceBytes + 1))
            #expect(pauses.load(ordering: .relaxed) == 1)
            proxy.severAnswers(to: Array("?uploadId=".utf8), times: 1)
            let published = try await writer.publish()
            #expect(published.length == 2 * S3Client.pieceBytes + 1)
            #expect(try await store.holds(published))
            #expect(proxy.severedAnswers == 1)
        }
    }
}
