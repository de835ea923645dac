import Foundation
import Glibc

/// Draws a pass's progress on standard error while the pass runs, where that is a terminal. What is drawn is cleared at the
/// end, so that nothing of it is in the way of the next line.
struct ProgressDisplay {
    let verb: String
    let meter: ProgressMeter
    /// False: nothing is ever drawn.
    let isWanted: Bool

    /// Ten times a second at most.
    private static let interval = Duration.milliseconds(100)
    /// What is done sooner needs no bar.
    private static let patience = Duration.milliseconds(300)
    private static let standardColumns = 80

    func during<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
        guard isWanted, Self.isTerminal else { return try await body() }
        return try await Companion.running(draw, beside: body)
    }

    /// Until the task is cancelled.
    private func draw() async {
        let start = ContinuousClock.now
        var bar = ProgressBar(verb: verb)
        var isDrawn = false
        defer { if isDrawn { Self.write("\r\u{1B}[K") } }
        try? await Task.sleep(for: Self.patience)
        while !Task.isCancelled {
            let line = bar.line(
                bytes: meter.bytes, of: meter.total, seconds: (ContinuousClock.now - start) / .seconds(1),
                columns: Self.columns)
            Self.write("\r\(line)\u{1B}[K")
            isDrawn = true
            try? await Task.sleep(for: Self.interval)
        }
    }

    private static var isTerminal: Bool {
        isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    static var columns: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return standardColumns }
        return Int(size.ws_col)
    }

    private static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
