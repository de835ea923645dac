import ObjectStore
import Testing

/// Five segments of 204 bytes and their slashes: exactly the 1024 bytes that a key may have.
private let longestName = Array(repeating: String(repeating: "k", count: 204), count: 5).joined(separator: "/")

@Test(arguments: [
    "", "/", "/a", "a/", "a//b", ".", "..", "../../etc/passwd", "a/../b", "a/./b", "a\\b", "a\u{0}b",
    String(repeating: "k", count: 256), "a/" + String(repeating: "k", count: 256), longestName + "k",
])
func keyThatIsAWayIsRefused(_ name: String) {
    let error = #expect(throws: ObjectStoreError.self) { try ObjectKey(name) }
    #expect(error?.code == .invalidName)
}

@Test(arguments: [
    "a", "a/b", ".hidden", "...", "a..b", "%2e%2e%2fetc", "a b?c#d", "é/ü", "-", String(repeating: "k", count: 255), longestName,
])
func keyThatIsOnlyDataIsTaken(_ name: String) throws {
    #expect(try ObjectKey(name).name == name)
}

@Test func keysAreEqualByBytes() throws {
    let composed = try ObjectKey("caf\u{e9}")
    let decomposed = try ObjectKey("cafe\u{301}")
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed]).count == 2)
}

@Test func namesArePrintedOnOneLine() throws {
    #expect("\(try ObjectKey("a\nb\u{1b}[31m\u{202e}c"))" == "a?b?[31m?c")
}

@Test(arguments: ["a", "a/", "a/b", "", "a/.", "a/..b"])
func prefixMayBePartOfASegment(_ text: String) throws {
    #expect(try ObjectPrefix(text).text == text)
}

@Test(arguments: ["/", "/a", "a//", "../", "a/../b", "a\\", "a\u{0}", String(repeating: "a/", count: 513)])
func prefixThatIsAWayIsRefused(_ text: String) {
    #expect(throws: ObjectStoreError.self) { try ObjectPrefix(text) }
}

@Test(arguments: ["abc", "my-bucket.example", "1ab", String(repeating: "a", count: 63), "1.2.3.4.5", "1.2.3.a"])
func bucketNameIsTaken(_ name: String) throws {
    #expect(try BucketName(name).name == name)
}

@Test(arguments: [
    "", "ab", String(repeating: "a", count: 64), "Abc", "a_b", "-ab", "ab-", ".ab", "ab.", "a..b", "a/b", "..", "é12",
    "169.254.169.254", "abc\u{0}", "abc ",
])
func bucketNameIsRefused(_ name: String) {
    #expect(throws: ObjectStoreError.self) { try BucketName(name) }
}

@Test func urlNamesBucketAndKey() throws {
    let url = try S3URL("s3://bucket/folder/file.csv")
    #expect(url.bucket.name == "bucket")
    #expect(try url.key().name == "folder/file.csv")
    #expect(url.description == "s3://bucket/folder/file.csv")
    #expect(try S3URL("s3://bucket").prefix == .all)
    #expect(try S3URL("s3://bucket/").prefix == .all)
    #expect(try S3URL("s3://bucket/a?b#c%2f").key().name == "a?b#c%2f")
}

@Test func fileOfADestinationFolder() throws {
    #expect(try S3URL("s3://bucket").key(file: "f.csv").name == "f.csv")
    #expect(try S3URL("s3://bucket/out").key(file: "f.csv").name == "out/f.csv")
    #expect(try S3URL("s3://bucket/out/").key(file: "f.csv").name == "out/f.csv")
    #expect(throws: ObjectStoreError.self) { try S3URL("s3://bucket/out").key(file: "../f.csv") }
}

@Test(arguments: [
    "bucket/key", "S3://bucket/key", "https://bucket/key", "s3:/bucket/key", "s3://", "s3:///key",
    "s3://169.254.169.254/latest", "s3://user@bucket/key", "s3://bucket:80/key", "s3://bucket//key", "s3://bucket/../key",
])
func urlIsRefused(_ text: String) {
    #expect(throws: ObjectStoreError.self) { try S3URL(text) }
}
