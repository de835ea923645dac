import AWSProtocol
import Envelope

/// Where each frame of a message lies: all of them, or the first and the last few. Frames may be billions, so that rows are
/// made one by one.
struct FrameTable {
    let layout: FrameLayout
    let isWhole: Bool

    /// Frames shown of each end where not all are.
    static let endFrames = 3

    /// Frames to show, counting from 0; nil stands for those that are left out.
    var frames: [Range<Int>] {
        let count = layout.frameCount
        guard !isWhole, count > 2 * Self.endFrames else { return [0..<count] }
        return [0..<Self.endFrames, count - Self.endFrames..<count]
    }

    private static let titles = ["frame", "offset", "bytes", "plaintext offset", "plaintext bytes"]

    /// Writes a line for each frame, with a title line first.
    func write(_ line: (String) -> Void) {
        // Numbers grow towards the end: the last rows are the widest, but for lengths.
        let wide = [cells(0), cells(max(0, layout.frameCount - 2)), cells(layout.frameCount - 1), Self.titles]
        let widths = Self.titles.indices.map { column in wide.map { $0[column].count }.max() ?? 0 }
        line(Self.row(Self.titles, widths))
        for (index, range) in frames.enumerated() {
            if index > 0 {
                let left = layout.frameCount - 2 * Self.endFrames
                line("  … \(Amount.count(left, "frame")) (--frames shows all) …")
            }
            for frame in range {
                line(Self.row(cells(frame), widths) + (layout.isFinal(frame) ? "  final" : ""))
            }
        }
    }

    private static func row(_ cells: [String], _ widths: [Int]) -> String {
        zip(cells, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }.joined(separator: "  ")
    }

    /// `{number, offset, bytes, plaintextOffset, plaintextBytes, final}`
    func json(_ frame: Int) -> JSONObject {
        let values = values(frame)
        return [
            "number": .int(Int64(values[0])), "offset": .int(Int64(values[1])), "bytes": .int(Int64(values[2])),
            "plaintextOffset": .int(Int64(values[3])), "plaintextBytes": .int(Int64(values[4])),
            "final": .bool(layout.isFinal(frame)),
        ]
    }

    private func cells(_ frame: Int) -> [String] { values(frame).map { "\($0)" } }

    private func values(_ frame: Int) -> [Int] {
        [
            frame + 1, layout.offset(ofFrame: frame), layout.sealedBytes(ofFrame: frame), frame * layout.frameBytes,
            layout.plaintextBytes(ofFrame: frame),
        ]
    }
}
