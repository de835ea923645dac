import Foundation
import Glibc

/// One line that lives while a job runs: rewritten in place on a terminal, and where there is none a new line for each
/// change of what matters.
struct ProgressLine {
    private let handle: FileHandle
    private let isTerminal: Bool
    private var last = ""

    init(_ handle: FileHandle) {
        self.handle = handle
        isTerminal = isatty(handle.fileDescriptor) == 1
    }

    /// - Parameter key: what matters of it; without a terminal the line is written when this changes.
    mutating func update(_ text: String, key: String) {
        if isTerminal {
            write("\r\(text)\u{1B}[K")
        } else if key != last {
            write(text + "\n")
        }
        last = key
    }

    mutating func finish() {
        if isTerminal { write("\n") }
    }

    private func write(_ text: String) { handle.write(Data(text.utf8)) }
}
