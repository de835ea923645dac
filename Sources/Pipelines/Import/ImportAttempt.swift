import Artifacts
import Jobs
import ObjectStore
import TimeSeries

/// One attempt at one range: chunk after chunk, from the last durable one on.
struct ImportAttempt: Sendable {
    let layout: DatasetLayout
    let format: TimestampFormat
    let reader: LineReader
    let writer: ArtifactWriter
    let limits: ChunkLimits
    let context: TaskContext

    func run() async throws {
        guard let firstLine = try await reader.firstLine() else { return }
        let end = try await reader.lastLineEnd()
        var ordinal = context.durableChunks.count
        var position = try resumePosition(firstLine)
        do {
            repeat {
                let built = try await buildChunk(from: position, to: end)
                guard let chunk = built else { break }
                try await context.seal(
                    chunk.plaintext, kind: .observations, ordinal: ordinal, with: writer,
                    position: try JobJSON(ImportProgress(offset: chunk.end.offset, line: chunk.end.line)),
                    bytes: chunk.end.offset - position.offset, rows: chunk.rowCount)
                position = chunk.end
                ordinal += 1
            } while position.offset < end
        } catch let error as TimeSeriesError where firstLine > 0 {
            // Lines were counted from the first of this range: only an error is worth counting those before it.
            throw error.movingLine(by: try await reader.lines(before: firstLine))
        }
    }

    private func resumePosition(_ firstLine: Int) throws -> InputPosition {
        guard let last = context.durableChunks.last else { return InputPosition(offset: firstLine, line: 1) }
        let progress = try last.inputPosition.decoded(as: ImportProgress.self)
        return InputPosition(offset: progress.offset, line: progress.line)
    }

    /// Rows from `start` until the chunk is full or the range ends; nil where there are none.
    private func buildChunk(from start: InputPosition, to end: Int) async throws -> BuiltChunk? {
        let builder = try ChunkBuilder(
            layout: layout, format: format, file: reader.file.key.description, start: start, limits: limits)
        var position = start.offset
        repeat {
            try context.checkStillOurs()
            try writer.access.lease.check()
            let next = min(position + LineReader.bufferBytes, end)
            let bytes = position < next ? try await reader.read(position..<next) : []
            let progress = try builder.feed(bytes, isLast: next == end)
            position = next
            context.progress(bytes: Int64(builder.end.offset - start.offset), rows: Int64(builder.rowCount))
            if progress.isFull { break }
        } while position < end
        return builder.finish()
    }
}
