import Envelope
import Foundation
import Glibc

enum StreamEnd: String, CaseIterable, Sendable { case file, pipe }

/// Frames of the stream tests, four in a batch.
let streamFrame = 64

/// Sizes around the edges of frames and batches.
let streamSizes = [
    0, 1, streamFrame - 1, streamFrame, streamFrame + 1, 4 * streamFrame - 1, 4 * streamFrame, 4 * streamFrame + 1,
    37 * streamFrame + 5, 64 * streamFrame,
]

func streamOptions(threads: Int) -> PassOptions {
    var options = PassOptions()
    options.threads = threads
    options.batchBytes = 4 * streamFrame
    return options
}

/// A file with these bytes and an empty one, each as a file or, since a file that is only read and written in order behaves
/// as a pipe does, as a pipe. Answers what is in the second when `pass` has ended, with its error if it threw one.
func outcome(
    of input: [UInt8], from source: StreamEnd, to sink: StreamEnd, _ pass: (ByteChannel, ByteChannel) async throws -> Void
) async throws -> (bytes: [UInt8], error: (any Error)?) {
    try await withTemporaryFolder { folder in
        let (inputPath, outputPath) = (folder.appending(path: "in").path, folder.appending(path: "out").path)
        try Data(input).write(to: URL(fileURLWithPath: inputPath))
        try Data().write(to: URL(fileURLWithPath: outputPath))
        let reading = open(inputPath, O_RDWR)
        let writing = open(outputPath, O_WRONLY)
        defer {
            close(reading)
            close(writing)
        }
        let channel: (Int32, StreamEnd) throws -> ByteChannel = { descriptor, end in
            end == .file ? try ByteChannel.file(descriptor) : ByteChannel(descriptor: descriptor, access: .sequential)
        }
        var failure: (any Error)?
        do { try await pass(try channel(reading, source), try channel(writing, sink)) } catch { failure = error }
        return ([UInt8](try Data(contentsOf: URL(fileURLWithPath: outputPath))), failure)
    }
}

/// Runs `pass` between `input` and the bytes it answers.
func through(
    _ input: [UInt8], from source: StreamEnd, to sink: StreamEnd, _ pass: (ByteChannel, ByteChannel) async throws -> Void
) async throws -> [UInt8] {
    let (bytes, error) = try await outcome(of: input, from: source, to: sink, pass)
    if let error { throw error }
    return bytes
}

/// Opens the input's message with the tests' key.
func withStreamOpener<R>(
    _ input: ByteChannel, threads: Int = 3, limits: MessageLimits = .standard,
    options: PassOptions? = nil, _ body: (ParallelOpener, MessageOpener) async throws -> R
) async throws -> R {
    let opening = ParallelOpener(options: options ?? streamOptions(threads: threads), limits: limits)
    let opener = try await MessageOpener(header: try await opening.readHeader(input), provider: try keyring())
    return try await body(opening, opener)
}
