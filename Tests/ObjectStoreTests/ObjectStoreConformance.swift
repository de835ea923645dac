import Crypto
import ObjectStore
import Testing

/// What every store promises, run on any of them: `make` gives an empty store.
enum ObjectStoreConformance {
    /// What some servers do not do.
    enum Part { case race }

    static func all(besides left: Set<Part> = [], _ make: () async throws -> any ObjectStore) async throws {
        try await publishedObjectIsReadWholeByRangeAndInOrder(make())
        try await nameIsWriteOnce(make())
        if !left.contains(.race) { try await ofWritersAtOnceExactlyOneWins(make()) }
        try await unpublishedObjectIsNowhere(make())
        try await absentObject(make())
        try await listingIsInOrderOfBytesAndPaged(make())
        try await prefixIsTextNotFolder(make())
        try await holdsComparesLengthAndContent(make())
        try await emptyObject(make())
    }

    static func publishedObjectIsReadWholeByRangeAndInOrder(_ store: any ObjectStore) async throws {
        let key = try ObjectKey("a/b/c.bin")
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let writer = try await store.writer(key)
        for start in stride(from: 0, to: bytes.count, by: 33_333) {
            try await writer.append(Array(bytes[start..<min(bytes.count, start + 33_333)]))
        }
        let published = try await writer.publish()
        #expect(published == PublishedObject(key: key, length: bytes.count, sha256: Array(SHA256.hash(data: bytes))))

        #expect(try await store.get(key) == bytes)
        #expect(try await store.get(key, range: 10..<20) == Array(bytes[10..<20]))
        #expect(try await store.get(key, range: 99_990..<100_010) == Array(bytes[99_990...]))
        #expect(try await store.get(key, range: 200_000..<200_001).isEmpty)

        let reader = try await store.reader(key, from: 7)
        #expect(reader.info.length == bytes.count)
        var read: [UInt8] = []
        while true {
            let next = try await reader.read(atMost: 4096)
            if next.isEmpty { break }
            #expect(next.count <= 4096)
            read += next
        }
        #expect(read == Array(bytes[7...]))
        let info = try #require(try await store.head(key))
        #expect(info.length == bytes.count && info.key == key && info.version == reader.info.version)
        #expect(try await store.list(prefix: .all) == [info])

        #expect(try await store.get(key, range: 10..<20, ifVersion: info.version) == Array(bytes[10..<20]))
        for range in [nil, 10..<20, 10..<10] {
            let error = await #expect(throws: ObjectStoreError.self) {
                try await store.get(key, range: range, ifVersion: "\"another\"")
            }
            #expect(error?.code == .changed && error?.isRetriable == false)
        }
    }

    static func nameIsWriteOnce(_ store: any ObjectStore) async throws {
        let key = try ObjectKey("taken")
        try await store.put(key, [1])
        let error = await #expect(throws: ObjectStoreError.self) { try await store.put(key, [2, 2]) }
        #expect(error?.code == .alreadyExists && error?.isRetriable == false)
        #expect(try await store.get(key) == [1])
    }

    static func ofWritersAtOnceExactlyOneWins(_ store: any ObjectStore) async throws {
        let key = try ObjectKey("race/object")
        let winners = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<16 {
                group.addTask { (try? await store.put(key, [UInt8](repeating: UInt8(index), count: 1000))) != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(winners == 1)
        let bytes = try await store.get(key)
        #expect(bytes.count == 1000 && Set(bytes).count == 1)
    }

    static func unpublishedObjectIsNowhere(_ store: any ObjectStore) async throws {
        let key = try ObjectKey("half/object")
        let writer = try await store.writer(key)
        try await writer.append([1, 2, 3])
        #expect(try await store.head(key) == nil)
        #expect(try await store.list(prefix: .all).isEmpty)
        await writer.abort()
        await writer.abort()
        #expect(try await store.head(key) == nil)
        let error = await #expect(throws: ObjectStoreError.self) { try await writer.publish() }
        #expect(error?.code == .misuse)
        try await store.put(key, [4])
    }

    static func absentObject(_ store: any ObjectStore) async throws {
        let key = try ObjectKey("no/such")
        #expect(try await store.head(key) == nil)
        let get = await #expect(throws: ObjectStoreError.self) { try await store.get(key) }
        #expect(get?.code == .notFound)
        let read = await #expect(throws: ObjectStoreError.self) { try await store.reader(key) }
        #expect(read?.code == .notFound)
        try await store.delete(key)
        #expect(try await store.list(prefix: try ObjectPrefix("no/")).isEmpty)
    }

    static func listingIsInOrderOfBytesAndPaged(_ store: any ObjectStore) async throws {
        let names = ["a-b", "a/1", "a/10", "a/2", "a0", "b/c/d", "b/c/e", "b/cc", "é", "z"]
        for name in names.shuffled() { try await store.put(try ObjectKey(name), Array(name.utf8)) }
        let ordered = try names.map { try ObjectKey($0) }.sorted()
        #expect(try await store.list(prefix: .all).map(\.key) == ordered)
        for limit in 1...names.count + 1 {
            var seen: [ObjectKey] = []
            while true {
                let page = try await store.list(prefix: .all, after: seen.last, limit: limit)
                seen += page.map(\.key)
                if page.count < limit { break }
            }
            #expect(seen == ordered, "limit \(limit)")
        }
        // A mark between keys, and one that is itself gone, serve as well.
        #expect(try await store.list(prefix: .all, after: try ObjectKey("a/11"), limit: 2).map(\.key.name) == ["a/2", "a0"])
        try await store.delete(try ObjectKey("b/c/d"))
        #expect(try await store.list(prefix: .all, after: try ObjectKey("b/c/d"), limit: 1).map(\.key.name) == ["b/c/e"])
    }

    static func prefixIsTextNotFolder(_ store: any ObjectStore) async throws {
        for name in ["data/part-1", "data/part-2", "data/other", "database"] { try await store.put(try ObjectKey(name), [0]) }
        func names(_ prefix: String) async throws -> [String] {
            try await store.list(prefix: try ObjectPrefix(prefix)).map(\.key.name)
        }
        #expect(try await names("data") == ["data/other", "data/part-1", "data/part-2", "database"])
        #expect(try await names("data/") == ["data/other", "data/part-1", "data/part-2"])
        #expect(try await names("data/part") == ["data/part-1", "data/part-2"])
        #expect(try await names("data/part-1") == ["data/part-1"])
        #expect(try await names("data/part-1/").isEmpty)
    }

    static func holdsComparesLengthAndContent(_ store: any ObjectStore) async throws {
        let key = try ObjectKey("retried")
        let published = try await store.put(key, [1, 2, 3])
        #expect(try await store.holds(published))
        let other = Array(SHA256.hash(data: [1, 2, 4] as [UInt8]))
        #expect(try await !store.holds(PublishedObject(key: key, length: 3, sha256: other)))
        #expect(try await !store.holds(PublishedObject(key: key, length: 4, sha256: published.sha256)))
        let absent = PublishedObject(key: try ObjectKey("absent"), length: 3, sha256: published.sha256)
        #expect(try await !store.holds(absent))
    }

    static func emptyObject(_ store: any ObjectStore) async throws {
        let key = try ObjectKey("empty")
        let published = try await store.put(key, [])
        #expect(published.length == 0)
        #expect(try await store.get(key).isEmpty)
        #expect(try await store.reader(key).read(atMost: 1).isEmpty)
    }
}
