import ArgumentParser
import Glibc
import UnixSignals

/// The interrupt key, SIGTERM and a closed terminal end a pass in good order: threads stop, staged files go.
enum Interruption {
    private struct Signalled: Error { let signal: UnixSignal }

    /// Runs `body` and cancels it when a signal comes; then throws a failure with exit code 128 + signal.
    static func heeding<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
        let signals = await UnixSignalsSequence(trapping: [.sigint, .sigterm, .sighup].filter { !isIgnored($0) })
        do {
            return try await Companion.running(
                { for await signal in signals { throw Signalled(signal: signal) } }, beside: body)
        } catch let error as Signalled {
            throw CommandFailure("Interrupted. No file was written.", MessageExit.interrupted(by: error.signal.rawValue))
        }
    }

    /// Whoever started this process with `nohup` or in a script's background does not want it to hear of that signal.
    private static func isIgnored(_ signal: UnixSignal) -> Bool {
        var action = sigaction()
        return sigaction(signal.rawValue, nil, &action) == 0
            && unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
