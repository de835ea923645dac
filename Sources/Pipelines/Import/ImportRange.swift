/// The part of one file that an import task reads: the lines that begin in `start ..< end`.
///
/// JSON of the task. The file is named by a hash: its name comes from the listing under the signed path, never from a row.
struct ImportRange: Codable, Sendable, Hashable {
    /// SHA-256 of the key's UTF-8 bytes, in hexadecimal.
    var file: String
    /// As listed when the plan was made: a file that changes while it is read fails the job.
    var fileBytes: Int
    var version: String
    /// Whether the path named a folder when the plan was made: then nobody asks again for an object of that name.
    var isInFolder: Bool?
    var start: Int
    var end: Int

    /// Splits a file into ranges of at most `taskBytes`; an empty file is one range, so that it is refused by name.
    static func split(
        file: String, bytes: Int, version: String, isInFolder: Bool? = nil, taskBytes: Int
    ) -> [ImportRange] {
        let all = ImportRange(file: file, fileBytes: bytes, version: version, isInFolder: isInFolder, start: 0, end: 0)
        guard bytes > 0 else { return [all] }
        return stride(from: 0, to: bytes, by: taskBytes).map { start in
            var range = all
            (range.start, range.end) = (start, min(start + taskBytes, bytes))
            return range
        }
    }
}

/// Where a chunk of an import ended: the JSON that its row holds.
struct ImportProgress: Codable, Sendable, Hashable {
    var offset: Int
    /// Lines before it in its task.
    var line: Int
}
