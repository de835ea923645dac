import Pipelines
import Testing

/// Who asks about a path and who opens it cut it alike: a bucket that only one of them sees is nobody's.
@Test(arguments: [
    ("s3://bucket", "bucket", ""), ("s3://bucket/", "bucket", ""), ("s3://bucket/a/b.csv", "bucket", "a/b.csv"),
    ("s3://bucket/a//", nil, nil), ("s3://ab/x", nil, nil), ("s3://Bucket/x", nil, nil),
    // A joiner or an overlay makes one character of itself and the slash before it.
    ("s3://secret/\u{200D}x", "secret", "\u{200D}x"), ("s3://secret/\u{338}x", "secret", "\u{338}x"),
])
func pathsAreCutByBytes(path: String, bucket: String?, key: String?) {
    let parts = try? BucketLocation(path: path, roleARN: "r", keyARN: nil).parts()
    #expect(parts?.bucket == bucket)
    #expect(parts.map { Array($0.key.utf8) } == key.map { Array($0.utf8) })
}
