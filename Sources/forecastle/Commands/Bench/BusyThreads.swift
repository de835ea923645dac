import CoreFoundation
import Foundation
import Glibc
import Synchronization

/// Work in memory that a thread repeats.
protocol BusyWork: AnyObject {
    /// Does some milliseconds of work and answers how many bytes it went through.
    func step() throws -> Int
    /// Whether the last step's result is what it must be. Asked once, at the end.
    func verify() throws -> Bool
}

enum BusyThreads {
    /// Keeps threads busy for so many seconds. CPU time is theirs alone; the rate of several is the sum of theirs.
    static func measure(
        _ count: Int, seconds: Double, _ make: @escaping @Sendable (Int) throws -> any BusyWork
    ) async throws -> BenchSample {
        let samples = try await withThrowingTaskGroup(of: BenchSample.self) { group in
            for thread in 0..<count {
                group.addTask {
                    try await withCheckedThrowingContinuation { continuation in
                        Thread.detachNewThread {
                            continuation.resume(with: Result { try run(try make(thread), seconds) })
                        }
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return BenchSample(
            wallSeconds: samples.map(\.wallSeconds).max() ?? 0, cpuSeconds: samples.map(\.cpuSeconds).reduce(0, +),
            bytes: samples.map(\.bytes).reduce(0, +))
    }

    private static func run(_ work: any BusyWork, _ seconds: Double) throws -> BenchSample {
        _ = try work.step()
        let (cpu, started) = (threadSeconds(), ContinuousClock.now)
        var bytes = 0
        var wall = 0.0
        while wall < seconds {
            bytes += try work.step()
            wall = (ContinuousClock.now - started) / .seconds(1)
        }
        let used = threadSeconds() - cpu
        guard try work.verify() else {
            throw CommandFailure("A result in memory is wrong.", MessageExit.message)
        }
        return BenchSample(wallSeconds: wall, cpuSeconds: used, bytes: bytes)
    }

    private static func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
