import Foundation
import Glibc

/// What the demo tells: people read it on standard output; with --json it goes to standard error, out of the JSON's way.
struct DemoStory: Sendable {
    let handle: FileHandle
    private let isTerminal: Bool

    init(json: Bool) {
        handle = json ? .standardError : .standardOutput
        isTerminal = isatty(handle.fileDescriptor) == 1
    }

    /// A step: what happens now and why it matters.
    func say(_ text: String) { line("\n\(bold("==>")) \(text)") }
    func title(_ text: String) { line("\n\(bold(text))") }
    func line(_ text: String) { handle.write(Data((text + "\n").utf8)) }
    func fact(_ name: String, _ value: String) { line("    \(name.padding(toLength: 12, withPad: " ", startingAt: 0)) \(value)") }
    func table(_ table: TextTable) { for row in table.lines { line("  " + row) } }

    private func bold(_ text: String) -> String { isTerminal ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
}

struct DemoFailure: Error, CustomStringConvertible {
    var description: String
}
