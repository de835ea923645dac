/// What every key and prefix must obey, so that a name is data and never a way to somewhere else.
///
/// At most 1024 bytes of UTF-8; segments between slashes of 1–255 bytes; no segment `.` or `..`; no NUL and no
/// backslash. Percent signs are ordinary characters: nothing here decodes, so nothing can be decoded twice.
enum NameRules {
    static let nameBytes = 1024
    static let segmentBytes = 255

    static func check(_ name: String, what: String) throws(ObjectStoreError) {
        let bytes = name.utf8
        guard bytes.count <= nameBytes else {
            throw ObjectStoreError(.invalidName, "\(what) is longer than \(nameBytes) bytes")
        }
        guard !bytes.contains(0) else { throw ObjectStoreError(.invalidName, "\(what) contains a NUL") }
        guard !bytes.contains(UInt8(ascii: "\\")) else {
            throw ObjectStoreError(.invalidName, "\(what) contains a backslash")
        }
    }

    static func check(segments path: Substring, what: String) throws(ObjectStoreError) {
        for segment in path.utf8.split(separator: slash, omittingEmptySubsequences: false) {
            if segment.isEmpty { throw ObjectStoreError(.invalidName, "\(what) has an empty segment") }
            if segment.count > segmentBytes {
                throw ObjectStoreError(.invalidName, "\(what) has a segment longer than \(segmentBytes) bytes")
            }
            if segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8) {
                throw ObjectStoreError(.invalidName, "\(what) has a segment that is a dot or two")
            }
        }
    }

    /// Every store's own folder: no name in it is an object.
    static let ownFolder = ".forecastle-uploads/"

    static func refuseOwn(_ key: ObjectKey) throws(ObjectStoreError) {
        guard !key.name.utf8.starts(with: ownFolder.utf8) else {
            throw ObjectStoreError(.invalidName, "this name is the store's own")
        }
    }

    static let slash = UInt8(ascii: "/")
}

extension String {
    /// The same text on one line of plain characters: names are other people's and end up in logs and messages.
    var printable: String {
        String(
            unicodeScalars.map {
                $0.properties.generalCategory == .control || $0.properties.generalCategory == .format ? "?" : Character($0)
            })
    }

    /// The part up to and including the last slash, and the rest.
    func splitAtLastSlash() -> (folder: Substring, leaf: Substring) {
        guard let slash = utf8.lastIndex(of: NameRules.slash) else { return (self[startIndex..<startIndex], self[...]) }
        let after = utf8.index(after: slash)
        return (self[..<after], self[after...])
    }
}
