package import FoundationEssentials

/// The write-once names of objects: `artifacts/<resource>/<incarnation>/<task>/<fence>/<ordinal>`.
package enum ObjectName {
    /// - Parameter resourceARN: its part behind the account becomes one segment: `dataset-import-job.ds.imp`.
    package static func make(
        resourceARN: String, incarnation: UUID, task: TaskID, fence: Fence, ordinal: Int
    ) -> String {
        let parts = resourceARN.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        // The incarnation makes names unique; the resource is there for people, so unknown characters may fall together.
        let segment = (parts.last ?? "").unicodeScalars.prefix(segmentCharactersMax).map { scalar -> Character in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-": Character(scalar)
            default: "."
            }
        }
        let resource = segment.allSatisfy { $0 == "." } ? "resource" : String(segment)
        return "artifacts/\(resource)/\(incarnation.uuidString.lowercased())/\(task)/\(fence)/\(ordinal)"
    }

    /// A segment of a directory store's path holds at most 255 bytes.
    package static let segmentCharactersMax = 200
}
