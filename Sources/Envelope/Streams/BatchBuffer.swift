import Glibc
import Secrets

/// One thread's buffer: consecutive frames as they stand in the message.
///
/// Plaintext is read to where its ciphertext will stand, and sealed and opened in place, so that a batch passes through
/// one buffer that stays in the processor's cache. Wiped at the end.
final class BatchBuffer {
    let frameBytes: Int
    /// Frames that it has room for.
    let frames: Int
    let bytes: UnsafeMutableRawBufferPointer
    /// The pieces that ``select(_:endsMessage:frames:)`` chose.
    let pieces: ByteVectors

    init(frames: Int, frameBytes: Int) {
        self.frames = frames
        self.frameBytes = frameBytes
        bytes = .allocate(byteCount: Self.byteCount(frames: frames, frameBytes: frameBytes), alignment: Self.pageBytes)
        pieces = ByteVectors(capacity: frames)
    }

    deinit {
        wipe(bytes)
        bytes.deallocate()
    }

    private static let pageBytes = 4096

    static func byteCount(frames: Int, frameBytes: Int) -> Int {
        frames * (frameBytes + FrameLayout.regularOverhead) + FrameLayout.finalOverhead - FrameLayout.regularOverhead
    }

    var plaintextCapacity: Int { frames * frameBytes }
    private var regularBytes: Int { frameBytes + FrameLayout.regularOverhead }

    /// Sealed bytes from frame `index` of the batch on.
    func frame(_ index: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: bytes[(index * regularBytes)...])
    }

    /// Content of frame `index` of the batch: a tag follows it, everything else of the frame stands before it.
    func content(_ index: Int, _ count: Int, isFinal: Bool) -> UnsafeMutableRawBufferPointer {
        let overhead = isFinal ? FrameLayout.finalOverhead : FrameLayout.regularOverhead
        let start = index * regularBytes + overhead - AlgorithmSuite.tagBytes
        return UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + count])
    }

    /// Chooses the pieces that hold a range of the batch's plaintext. The last of `frames` is a final one if `endsMessage`.
    func select(_ range: Range<Int>, endsMessage: Bool, frames: Int) {
        pieces.removeAll()
        guard !range.isEmpty else { return }
        for index in range.lowerBound / frameBytes...(range.upperBound - 1) / frameBytes {
            let start = index * frameBytes
            let part = range.clamped(to: start..<start + frameBytes)
            let whole = content(index, part.upperBound - start, isFinal: endsMessage && index == frames - 1)
            pieces.append(UnsafeMutableRawBufferPointer(rebasing: whole[(part.lowerBound - start)...]))
        }
    }

    /// A frame that was read as a regular one turned out to be the final one, whose content stands further behind.
    func moveToFinal(_ index: Int, _ count: Int) {
        guard count > 0 else { return }
        content(index, count, isFinal: true).copyMemory(from: UnsafeRawBufferPointer(content(index, count, isFinal: false)))
    }
}
