import Foundation
import ObjectStore
import Testing

@Test func directoryStoreConforms() async throws {
    try await ObjectStoreConformance.all { try RootedStore(.artifacts) }
    try await ObjectStoreConformance.all { try RootedStore(.bucket) }
}

/// A directory store whose folder lives as long as it does.
private struct RootedStore: ObjectStore {
    let folder: TemporaryFolder
    let store: DirectoryObjectStore

    init(_ options: DirectoryObjectStore.Options) throws {
        folder = try TemporaryFolder()
        store = try DirectoryObjectStore(root: folder.path, options: options)
    }

    func writer(_ key: ObjectKey) async throws -> any ObjectWriter { try await store.writer(key) }
    func reader(_ key: ObjectKey, from offset: Int) async throws -> any ObjectReader {
        try await store.reader(key, from: offset)
    }
    func get(_ key: ObjectKey, range: Range<Int>?, ifVersion: String?) async throws -> [UInt8] {
        try await store.get(key, range: range, ifVersion: ifVersion)
    }
    func head(_ key: ObjectKey) async throws -> ObjectInfo? { try await store.head(key) }
    func list(prefix: ObjectPrefix, after: ObjectKey?, limit: Int) async throws -> [ObjectInfo] {
        try await store.list(prefix: prefix, after: after, limit: limit)
    }
    func delete(_ key: ObjectKey) async throws { try await store.delete(key) }
    func collectAbandonedUploads() async throws -> Int { try await store.collectAbandonedUploads() }
}

@Test func symbolicLinksAreNeitherFollowedNorListed() async throws {
    let outside = try TemporaryFolder()
    try outside.write("secret", to: "secret.txt")
    let folder = try TemporaryFolder()
    try folder.write("own", to: "own.txt")
    let files = FileManager.default
    try files.createSymbolicLink(atPath: folder.path + "/file", withDestinationPath: outside.path + "/secret.txt")
    try files.createSymbolicLink(atPath: folder.path + "/near", withDestinationPath: "own.txt")
    try files.createSymbolicLink(atPath: folder.path + "/folder", withDestinationPath: outside.path)
    let store = try DirectoryObjectStore(root: folder.path)

    #expect(try await store.list(prefix: .all).map(\.key.name) == ["own.txt"])
    #expect(try await store.list(prefix: try ObjectPrefix("fo")).isEmpty)
    await #expect(throws: ObjectStoreError.self) { try await store.list(prefix: try ObjectPrefix("folder/")) }
    for name in ["file", "near", "folder/secret.txt"] {
        let key = try ObjectKey(name)
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try await store.get(key) }, { _ = try await store.reader(key) }, { _ = try await store.head(key) },
            { try await store.delete(key) },
        ]
        for call in calls {
            let error = await #expect(throws: ObjectStoreError.self) { try await call() }
            #expect(error?.code == .refused, "\(name)")
        }
    }
    let error = await #expect(throws: ObjectStoreError.self) { try await store.put(try ObjectKey("folder/new"), [1]) }
    #expect(error?.code == .refused)
    #expect(outside.files() == ["secret.txt"])
}

@Test func foldersAndPipesAreNoObjects() async throws {
    let folder = try TemporaryFolder()
    try folder.write("x", to: "folder/file")
    #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
    let store = try DirectoryObjectStore(root: folder.path)
    #expect(try await store.list(prefix: .all).map(\.key.name) == ["folder/file"])
    for (name, code) in [("pipe", ObjectStoreError.Code.refused), ("folder", .notFound)] {
        let error = await #expect(throws: ObjectStoreError.self) { try await store.get(try ObjectKey(name)) }
        #expect(error?.code == code, "\(name)")
    }
    #expect(try await store.head(try ObjectKey("folder")) == nil)
    try await store.delete(try ObjectKey("folder"))
    #expect(folder.files().contains("folder/file"))
    let taken = await #expect(throws: ObjectStoreError.self) { try await store.put(try ObjectKey("folder"), [1]) }
    #expect(taken?.code == .alreadyExists)
    let under = await #expect(throws: ObjectStoreError.self) { try await store.put(try ObjectKey("folder/file/x"), [1]) }
    #expect(under?.code == .refused)
}

@Test func uploadsAreTheStoresOwn() async throws {
    let folder = try TemporaryFolder()
    let store = try DirectoryObjectStore(root: folder.path)
    await #expect(throws: ObjectStoreError.self) { try await store.put(try ObjectKey(".forecastle-uploads/x"), [1]) }
    try await store.put(try ObjectKey(".forecastle"), [1])
    #expect(folder.files() == [".forecastle"])
    #expect(try await store.list(prefix: .all).map(\.key.name) == [".forecastle"])
}

@Test func abandonedUploadIsCollectedAndALiveOneIsNot() async throws {
    let folder = try TemporaryFolder()
    let store = try DirectoryObjectStore(root: folder.path)
    #expect(try await store.collectAbandonedUploads() == 0)
    let writer = try await store.writer(try ObjectKey("slow"))
    try await writer.append([1])
    try folder.write("left behind", to: ".forecastle-uploads/dead")

    #expect(try await store.collectAbandonedUploads() == 1)
    #expect(folder.files().count == 1)
    _ = try await writer.publish()
    #expect(folder.files() == ["slow"])
}

@Test func abortedWriterLeavesNothing() async throws {
    let folder = try TemporaryFolder()
    let store = try DirectoryObjectStore(root: folder.path)
    let writer = try await store.writer(try ObjectKey("aborted"))
    try await writer.append([1])
    #expect(folder.files().count == 1)
    await writer.abort()
    #expect(folder.files().isEmpty)
}

@Test func emptyFoldersGoWithTheirLastObjectInTheArtifactStoreAlone() async throws {
    for (options, left) in [(DirectoryObjectStore.Options.artifacts, false), (.bucket, true)] {
        let folder = try TemporaryFolder()
        let store = try DirectoryObjectStore(root: folder.path, options: options)
        let key = try ObjectKey("a/b/c")
        try await store.put(key, [1])
        try await store.delete(key)
        #expect(FileManager.default.fileExists(atPath: folder.path + "/a/b") == left)
        #expect(FileManager.default.fileExists(atPath: folder.path))
    }
}

@Test func publishingAndRemovingInOneFolderLosesNothing() async throws {
    let folder = try TemporaryFolder()
    let store = try DirectoryObjectStore(root: folder.path)
    try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<4 {
            group.addTask {
                for round in 0..<25 {
                    let key = try ObjectKey("shared/deep/\(worker)-\(round)")
                    try await store.put(key, [1])
                    #expect(try await store.head(key) != nil)
                    try await store.delete(key)
                }
            }
        }
        try await group.waitForAll()
    }
    #expect(folder.files().isEmpty)
}

@Test func contentPutInPlaceOfOtherHasAnotherVersion() async throws {
    let folder = try TemporaryFolder()
    try folder.write("one", to: "in.csv")
    let store = try DirectoryObjectStore(root: folder.path, options: .bucket)
    let key = try ObjectKey("in.csv")
    let before = try #require(try await store.head(key))
    #expect(try await store.head(key) == before)
    try folder.write("two!", to: "in.csv")
    #expect(try await store.head(key)?.version != before.version)
}

@Test func getAndReadAreBounded() async throws {
    let folder = try TemporaryFolder()
    try folder.write("", to: "large")
    let store = try DirectoryObjectStore(root: folder.path)
    let key = try ObjectKey("large")
    for (length, fits) in [
        (ObjectStoreBounds.getBytes - 1, true), (ObjectStoreBounds.getBytes, true), (ObjectStoreBounds.getBytes + 1, false),
    ] {
        #expect(truncate(folder.path + "/large", off_t(length)) == 0)
        do {
            #expect(try await store.get(key).count == length && fits)
        } catch let error as ObjectStoreError {
            #expect(error.code == .tooLarge && !fits)
        }
    }
    #expect(try await store.get(key, range: 0..<10).count == 10)
    #expect(try await store.reader(key).read(atMost: .max).count == ObjectStoreBounds.readBytes)
}

@Test func bucketsAreTheFoldersOfTheRoot() async throws {
    let folder = try TemporaryFolder()
    try folder.write("1,2", to: "my-bucket/data/in.csv")
    try folder.write("x", to: "a-file")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/linked", withDestinationPath: "/etc")
    let buckets = try DirectoryBuckets(root: folder.path)
    let url = try S3URL("s3://my-bucket/data/in.csv")
    let store = try await buckets.store(url.bucket)
    #expect(try await store.get(try url.key()) == Array("1,2".utf8))
    for (name, code) in [("absent", ObjectStoreError.Code.notFound), ("a-file", .notFound), ("linked", .refused)] {
        let error = await #expect(throws: ObjectStoreError.self) { try await buckets.store(try BucketName(name)) }
        #expect(error?.code == code, "\(name)")
    }
}

@Test func errorsNameNoPathOfThisMachine() async throws {
    let folder = try TemporaryFolder()
    let store = try DirectoryObjectStore(root: folder.path)
    let error = await #expect(throws: ObjectStoreError.self) { try await store.get(try ObjectKey("secret\nname")) }
    #expect(error.map { "\($0)" } == "notFound: there is no such object")
}
