package import FoundationEssentials
import Synchronization

/// Writes the lines of one writer, file after file. After an error it is of no more use: its successor has another id, so that
/// no two lines ever share a place.
///
/// Used by one task at a time; the lock makes that a fact.
package final class HeadsWriter: Sendable {
    private struct State {
        var file: HeadsFile?
        var files = 0
        var number: Int64 = 0
        var previous = HeadsLine.noPrevious
        var previousMilliseconds: Int64 = 0
    }

    package let id = UUID()
    private let directory: String
    private let signer: HeadSigner
    private let fileBytes: Int
    private let state = Mutex(State())

    /// - Parameter fileBytes: a file of this size is followed by another.
    package init(directory: String, signer: HeadSigner, fileBytes: Int = HeadsFile.maximumBytes) {
        self.directory = directory
        self.signer = signer
        self.fileBytes = fileBytes
    }

    /// Blocks until the line is on disk.
    ///
    /// - Parameters:
    ///   - changed: written where the file has its line of all heads already.
    ///   - all: every known head.
    ///   - start: when the heads were read, by the clock that measures how long the line took to be on disk.
    package func write(
        _ kind: HeadsLine.Kind?, changed: [AuditHead], all: [AuditHead], shards: Int, time: Date,
        start: ContinuousClock.Instant = .now
    ) throws {
        try state.withLock { state in
            var isFirst = false
            if state.file.map({ $0.bytes >= fileBytes }) ?? true {
                state.files += 1
                state.file = try HeadsFile(directory: directory, writer: id, number: state.files, time: time)
                isFirst = true
            }
            let kind = kind ?? (isFirst ? .all : .changes)
            let line = try HeadsLine(
                kind: kind, writer: id, number: state.number + 1, time: time, previous: state.previous,
                previousMilliseconds: state.previousMilliseconds, shards: Int64(shards),
                heads: kind == .changes ? changed : all
            ).text(signedBy: signer)
            do {
                try state.file?.append(line)
            } catch {
                state.file?.removeIfEmpty()
                throw error
            }
            state.number += 1
            state.previous = HeadsLine.digest(of: line)
            let took = start.duration(to: .now).components
            state.previousMilliseconds = took.seconds * 1000 + took.attoseconds / 1_000_000_000_000_000
        }
    }
}
