/// `s3://bucket/path`, as import sources and export destinations name it.
///
/// The path is data to its last byte: `?`, `#` and `%` mean nothing here. It may be empty (the whole bucket), a
/// key, or a prefix; which one it is, the operation decides.
package struct S3URL: Sendable, Hashable, CustomStringConvertible {
    package let bucket: BucketName
    /// The path as a prefix of keys. It obeys the rules of `ObjectPrefix`.
    package let prefix: ObjectPrefix

    package init(_ text: String) throws(ObjectStoreError) {
        let scheme = "s3://"
        guard text.utf8.starts(with: scheme.utf8) else {
            throw ObjectStoreError(.invalidName, "an S3 path begins with s3://")
        }
        let rest = text.utf8.dropFirst(scheme.utf8.count)
        let end = rest.firstIndex(of: NameRules.slash) ?? rest.endIndex
        bucket = try BucketName(String(decoding: rest[..<end], as: UTF8.self))
        prefix = try ObjectPrefix(String(decoding: rest[end...].dropFirst(), as: UTF8.self))
    }

    /// The path as the key of one object; throws `.invalidName` where it can be none (empty, or ending in a slash).
    package func key() throws(ObjectStoreError) -> ObjectKey { try ObjectKey(prefix.text) }

    /// The key of a file of this name in the folder that the path names, with or without its last slash.
    package func key(file: String) throws(ObjectStoreError) -> ObjectKey {
        let folder = prefix.text
        return try ObjectKey(folder.isEmpty || folder.utf8.last == NameRules.slash ? folder + file : folder + "/" + file)
    }

    package var description: String { "s3://\(bucket)/\(prefix)" }
}
