/// What a store says of an object without opening it.
package struct ObjectInfo: Sendable, Hashable {
    package let key: ObjectKey
    /// Bytes.
    package let length: Int
    /// Opaque: it changes when other content is put in this one's place, so that work that is taken over can tell
    /// whether it would go on in the same input.
    package let version: String

    package init(key: ObjectKey, length: Int, version: String) {
        self.key = key
        self.length = length
        self.version = version
    }
}

/// What was written: `sha256` is taken over the bytes on their way to the disk.
package struct PublishedObject: Sendable, Hashable {
    package let key: ObjectKey
    /// Bytes.
    package let length: Int
    /// 32 bytes.
    package let sha256: [UInt8]

    package init(key: ObjectKey, length: Int, sha256: [UInt8]) {
        self.key = key
        self.length = length
        self.sha256 = sha256
    }
}
