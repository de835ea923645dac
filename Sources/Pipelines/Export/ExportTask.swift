/// One part of an export: a chunk of the source. A source without any still gives one part, with just its header.
package struct ExportTask: Codable, Sendable, Hashable {
    package var part: Int
    /// False for the one part of an empty source.
    package var hasChunk: Bool

    package static func plan(chunks: Int) -> [ExportTask] {
        guard chunks > 0 else { return [ExportTask(part: 0, hasChunk: false)] }
        return (0..<chunks).map { ExportTask(part: $0, hasChunk: true) }
    }
}
