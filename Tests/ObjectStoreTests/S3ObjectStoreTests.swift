import AWSClients
import AWSProtocol
import Foundation
import ObjectStore
import Synchronization
import Testing

/// One byte more than one request takes.
private let long = [UInt8](repeating: 7, count: S3Client.pieceBytes + 1)

private func code(_ body: () async throws -> Void) async -> ObjectStoreError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? ObjectStoreError)?.code
    }
}

@Test func s3StoreConforms() async throws {
    try await ObjectStoreConformance.all { try MemoryS3().store() }
    try await ObjectStoreConformance.all { try MemoryS3().store(folder: "tenant/artifacts/") }
    try await ObjectStoreConformance.all { try MemoryS3().store(addressing: .virtual) }
}

@Test func keysAreEncodedOnceAndComeBackAsTheyWere() async throws {
    let store = try MemoryS3().store(folder: "f/")
    let names = ["%2e%2e%2fetc", "a b?c#d&e=f+g", "é/ü", "tab\tnewline\n", "quote'\"<>", "~-._"]
    for name in names { try await store.put(try ObjectKey(name), Array(name.utf8)) }
    #expect(Set(try await store.list(prefix: .all).map(\.key.name)) == Set(names))
    for name in names { #expect(try await store.get(try ObjectKey(name)) == Array(name.utf8)) }
}

@Test func whatFitsIntoOnePieceIsWrittenInOneRequest() async throws {
    for (length, requests) in [(S3Client.pieceBytes - 1, 1), (S3Client.pieceBytes, 1), (S3Client.pieceBytes + 1, 5)] {
        let s3 = MemoryS3()
        let store = try s3.store()
        try await store.put(try ObjectKey("k"), Array(long.prefix(length)))
        // Of an upload: begun, two parts, completed, looked at.
        #expect(s3.contents.withLock { $0.requests.count } == requests, "\(length)")
        #expect(try await store.get(try ObjectKey("k")).count == length)
    }
}

// MARK: Written once

@Test func anUploadOfATakenNameChangesNothingAndLeavesNothing() async throws {
    let s3 = MemoryS3()
    let store = try s3.store()
    let key = try ObjectKey("k")
    let late = try await store.writer(key)
    try await late.append(long)
    try await store.put(key, [1])
    #expect(await code { _ = try await late.publish() } == .alreadyExists)
    #expect(try await store.get(key) == [1])
    #expect(s3.contents.withLock { $0.uploads.isEmpty })
}

@Test(arguments: [[1, 2, 3], long]) func aWriteWhoseAnswerWasLostIsKnownAgain(bytes: [UInt8]) async throws {
    let s3 = MemoryS3()
    let store = try s3.store()
    s3.fail(bytes.count > 3 ? "POST /test-bucket/k?uploadId" : "PUT /test-bucket/k", .answerLost)
    let published = try await store.put(try ObjectKey("k"), bytes)
    #expect(try await store.holds(published))
}

@Test func aWriteThatLandedAfterItsLastAttemptIsKnownAgain() async throws {
    let s3 = MemoryS3()
    let store = try s3.store()
    s3.fail("PUT /test-bucket/k", .answerLost)
    s3.fail("PUT /test-bucket/k", .requestLost, times: 4)
    try await store.put(try ObjectKey("k"), [1])
    #expect(try await store.get(try ObjectKey("k")) == [1])
}

@Test func equalBytesOfAnotherWriterAreNotOurs() async throws {
    let s3 = MemoryS3()
    let store = try s3.store()
    try await store.put(try ObjectKey("k"), [1])
    s3.fail("PUT /test-bucket/k", .requestLost)
    #expect(await code { try await store.put(try ObjectKey("k"), [1]) } == .alreadyExists)
}

@Test(arguments: [false, nil] as [Bool?]) func aStoreThatLetsNamesBeWrittenTwiceIsRefused(knows: Bool?) async throws {
    let s3 = MemoryS3(knowsConditions: knows)
    let error = await #expect(throws: ObjectStoreError.self) { try await s3.store(folder: "f/").checkWriteOnce() }
    #expect(error?.code == .refused && error?.message.contains("bucket test-bucket") == true)
    #expect(error?.message.contains("unchecked") == true)
    #expect(s3.contents.withLock { $0.objects.isEmpty && $0.uploads.isEmpty })

    let unchecked = try s3.store(writeOnce: .unchecked)
    try await unchecked.checkWriteOnce()
    try await unchecked.put(try ObjectKey("k"), [1])
    #expect(await code { try await unchecked.put(try ObjectKey("k"), [2]) } == .alreadyExists)
    #expect(await code { try await unchecked.put(try ObjectKey("k"), long) } == .alreadyExists)
    #expect(try await unchecked.get(try ObjectKey("k")) == [1])
    #expect(s3.contents.withLock { $0.uploads.isEmpty })
}

@Test func aStoreThatKeepsNamesPassesAndIsLeftClean() async throws {
    let s3 = MemoryS3()
    try await s3.store(folder: "f/").checkWriteOnce()
    #expect(s3.contents.withLock { $0.objects.isEmpty && $0.uploads.isEmpty })
    #expect(s3.contents.withLock { $0.requests.allSatisfy { $0.contains("/f/.forecastle-uploads/") } })
}

@Test func abandonedUploadsAreCollectedWhenTheirWritersHaveGivenUp() async throws {
    let begun = Date(timeIntervalSince1970: 1_800_000_000)
    let s3 = MemoryS3(now: begun)
    let store = try s3.store(folder: "f/")
    for name in ["a", "b", "c"] {
        let writer = try await store.writer(try ObjectKey(name))
        try await writer.append(long)
        try await writer.append(long)
    }
    s3.contents.withLock { $0.uploads["other"] = .init(key: "other/a", metadata: [:], begun: .distantPast) }
    // An hour and the quarter that clocks may differ by.
    #expect(try await store.collectAbandonedUploads(now: begun.addingTimeInterval(4500)) == 0)
    #expect(try await store.collectAbandonedUploads(now: begun.addingTimeInterval(4501)) == 3)
    #expect(s3.contents.withLock { Array($0.uploads.keys) } == ["other"])
}

@Test func nothingLandsAfterItsNameWasCollected() {
    // The engine leaves a name alone for 300 s after its writer's lease.
    #expect(S3Client.longestCall < .seconds(300))
}

// MARK: Reading what changes

@Test func contentThatChangesUnderAReaderIsNoticed() async throws {
    let s3 = MemoryS3()
    let store = try s3.store()
    let key = try ObjectKey("k")
    try await store.put(key, long)
    let version = try #require(try await store.head(key)?.version)
    let reader = try await store.reader(key)
    _ = try await reader.read(atMost: 10)
    s3.contents.withLock { $0.objects["k"]?.tag = "\"other\"" }
    #expect(await code { while try await !reader.read(atMost: 1 << 20).isEmpty {} } == .changed)
    #expect(await code { _ = try await store.get(key, range: 0..<1, ifVersion: version) } == .changed)
}

@Test func aListingPassesOverWhatCanBeNoKey() async throws {
    let s3 = MemoryS3()
    let store = try s3.store(folder: "f/")
    s3.contents.withLock { contents in
        for name in ["f/a//b", "f/dir/", "f/..", "f/back\\slash", "f/.forecastle-uploads/probe-1", "f/ok", "f/z", "other"] {
            contents.objects[name] = .init(bytes: [1], metadata: [:], tag: "\"t\"")
        }
    }
    #expect(try await store.list(prefix: .all).map(\.key.name) == ["ok", "z"])
    #expect(try await store.list(prefix: .all, after: nil, limit: 1).map(\.key.name) == ["ok"])
    #expect(try await store.list(prefix: .all, after: try ObjectKey("ok"), limit: 1).map(\.key.name) == ["z"])
}

// MARK: Failures

@Test(arguments: [
    (403, "AccessDenied", ObjectStoreError.Code.denied, "bucket test-bucket: the store does not permit s3:PutObject", 1),
    (403, "SignatureDoesNotMatch", .denied, "SignatureDoesNotMatch", 1),
    (403, "InvalidAccessKeyId", .denied, "InvalidAccessKeyId", 1),
    (404, "NoSuchBucket", .notFound, "there is no bucket test-bucket", 1),
    (400, "RequestTimeTooSkewed", .unavailable, "clocks", 1),
    (301, "PermanentRedirect", .refused, "another region", 1),
    (307, "TemporaryRedirect", .refused, "redirects are not followed", 1),
    (501, "NotImplemented", .refused, "s3:PutObject", 1),
    (400, "ExpiredToken", .unavailable, "expired", 1),
    (503, "SlowDown", .busy, "fewer requests", 5),
    (500, "InternalError", .unavailable, "InternalError", 5),
    (409, "ConditionalRequestConflict", .unavailable, "ConditionalRequestConflict", 5),
    (400, "SomethingNew", .refused, "SomethingNew", 1),
])
func whatTheStoreRefusesIsSaid(status: Int, name: String, code: ObjectStoreError.Code, says: String, attempts: Int) async throws {
    let s3 = MemoryS3()
    let store = try s3.store()
    s3.fail("PUT", .answer(status, name), times: 5)
    let error = await #expect(throws: ObjectStoreError.self) { try await store.put(try ObjectKey("k"), [1]) }
    #expect(error?.code == code && error?.message.contains(says) == true, "\(error.map { "\($0)" } ?? "")")
    #expect(s3.contents.withLock { $0.requests.count { $0.hasPrefix("PUT") } } == attempts)
    #expect(error?.isRetriable == (code == .busy || code == .unavailable))
}

@Test func faultsThatPassAreRepeated() async throws {
    let s3 = MemoryS3()
    let store = try s3.store()
    s3.fail("PUT", .answer(503, "SlowDown"))
    s3.fail("PUT", .requestLost)
    s3.fail("POST", .answer(500, "InternalError"), times: 2)
    try await store.put(try ObjectKey("k"), long)
    #expect(try await store.get(try ObjectKey("k")) == long)
}

/// Case 35: the store is out of reach; the writer has ended, nothing is seen.
@Test func aStoreOutOfReachFailsWithCauseAndNothingIsSeen() async throws {
    let s3 = MemoryS3()
    let store = try s3.store()
    let writer = try await store.writer(try ObjectKey("k"))
    try await writer.append(long)
    s3.fail("", .requestLost, times: 100)
    let error = await #expect(throws: ObjectStoreError.self) { _ = try await writer.publish() }
    #expect(error?.code == .unavailable && error?.isRetriable == true && error?.cause?.reason.contains("NoAnswer") == true)
    #expect(await code { _ = try await writer.publish() } == .misuse)
    s3.contents.withLock { $0.faults = [] }
    #expect(try await store.list(prefix: .all).isEmpty)
}

@Test func otherPlacesAreRefused() async throws {
    for (endpoint, isFine) in [
        ("https://s3.us-west-2.amazonaws.com", true), ("http://127.0.0.1:9000", true), ("http://10.0.0.1:9000", false),
        ("http://169.254.169.254", false), ("https://s3.example.com/path", false), ("ftp://s3.example.com", false),
    ] {
        let place = S3Endpoint(endpoint: endpoint, region: "r", addressing: .path)
        let isTaken = (try? place.validate()) != nil
        #expect(isTaken == isFine, "\(endpoint)")
    }
    // The operator's own word; a name is looked up.
    try await S3Endpoint(endpoint: "https://169.254.1.1", region: "r", addressing: .path).refuseLinkLocal()
    try await S3Endpoint(endpoint: "http://localhost:1", region: "r", addressing: .path).refuseLinkLocal()
    for (address, isLinkLocal) in [
        ("169.254.169.254", true), ("::ffff:169.254.169.254", true), ("fe80::1", true), ("febf::1", true), ("fec0::1", false),
        ("fd00:ec2::254", true), ("127.0.0.1", false), ("2001:db8::1", false), ("s3.example.com", false),
    ] {
        #expect(LinkLocal.contains(address) == isLinkLocal, "\(address)")
    }
}
