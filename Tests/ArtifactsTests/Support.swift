import Artifacts
import ArtifactsTesting
import Foundation
import Logging
import ObjectStore
import Synchronization

let keyARN = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

func scope(_ name: String = "sales", incarnation: String = "7d9c0a52-93a5-4c9b-8a0e-6f1e0f2f8f11") throws -> ArtifactScope {
    try ArtifactScope(
        account: "123456789012", resource: "arn:aws:forecast:us-west-2:123456789012:dataset/\(name)",
        incarnation: incarnation)
}

let attempt = ArtifactAttempt(job: "job-1", task: "task-1", fence: 3)

func quietLogger() -> Logger { Logger(label: "tests", factory: { _ in SwiftLogNoOpLogHandler() }) }

func access(
    _ kms: FakeKMS, _ owner: ArtifactScope? = nil, keyARN key: String = keyARN, keeper: KeyLeaseKeeper? = nil
) throws -> ArtifactAccess {
    // Where no keeper runs, time stands still too: nobody asks for a renewal.
    ArtifactAccess(
        scope: try owner ?? scope(), keyARN: key, kms: kms,
        keeper: keeper ?? KeyLeaseKeeper(clock: FakeClock().clock, logger: quietLogger()))
}

func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}

/// A store in a folder that is removed at the end.
func withStore<R>(_ body: (DirectoryObjectStore, URL) async throws -> R) async throws -> R {
    let folder = FileManager.default.temporaryDirectory.appending(path: "artifacts-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(try DirectoryObjectStore(root: folder.path), folder)
}

/// A clock that goes when it is told to.
final class FakeClock: Sendable {
    private struct Sleeper {
        let until: Duration
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: Duration = .seconds(1000)
        var sleepers: [Int: Sleeper] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    var clock: LeaseClock {
        LeaseClock(now: { self.state.withLock { $0.now } }, sleepUntil: { try await self.sleep(until: $0) })
    }

    func advance(_ duration: Duration) {
        let due = state.withLock { state in
            state.now += duration
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for key in due.keys { state.sleepers[key] = nil }
            return due
        }
        for sleeper in due.values { sleeper.continuation.resume() }
    }

    private func sleep(until moment: Duration) async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if moment <= state.now { return .success(()) }
                    state.sleepers[number] = Sleeper(until: moment, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: number) }?.continuation.resume(throwing: CancellationError())
        }
    }
}

/// Waits for something that other tasks bring about; fails after two minutes with what it waited for.
func eventually(_ what: String, _ condition: () -> Bool) async throws {
    struct NeverCame: Error { let what: String }
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(120)
    while !condition() {
        guard clock.now < deadline else { throw NeverCame(what: what) }
        try await clock.sleep(for: .milliseconds(1))
    }
}

extension ArtifactWriter {
    /// A name as a job reserves it.
    func name(_ ordinal: some CustomStringConvertible) -> String {
        "artifacts/\(access.scope.resource.split(separator: "/").last ?? "")/\(access.scope.incarnation)/\(attempt.task)/\(attempt.fence)/\(ordinal)"
    }

    func chunk(kind: ArtifactKind, ordinal: Int) async throws -> ChunkWriter {
        try await chunk(kind: kind, ordinal: ordinal, objectName: name(ordinal))
    }

    func writeManifest(_ manifest: Manifest, generation: Int64) async throws -> ManifestReference {
        try await writeManifest(manifest, generation: generation, objectName: name("manifest"))
    }
}
