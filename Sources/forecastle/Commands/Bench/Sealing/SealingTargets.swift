import Envelope

/// What is to be reached, each against a peer of the same run.
enum SealingTargets {
    static func all(_ results: [BenchResult]) -> [BenchTarget] {
        inMemory(results) + files(results) + [memory(results)]
    }

    private static let frame = MessageSealer.standardFrameBytes

    private static func inMemory(_ results: [BenchResult]) -> [BenchTarget] {
        let name = SealingInMemory.name
        let speed = name("speed", "openssl", frame, false)
        let seal = name("seal", "boringssl", frame, false)
        return [
            BenchTarget(
                title: "seal in memory, one core, 64 KiB frames", relation: .atLeast, limit: 1.3, next: 1.5,
                unit: "× openssl speed", seen: results.ratio(seal, to: speed, of: \.bytesPerCPUSecond)),
            BenchTarget(
                title: "open in memory, one core, 64 KiB frames", relation: .atLeast, limit: 2,
                unit: "× openssl speed",
                seen: results.ratio(name("open", "boringssl", frame, false), to: speed, of: \.bytesPerCPUSecond)),
            BenchTarget(
                title: "seal in memory, all cores (idle machine)", relation: .atLeast, limit: 1.8, unit: "× one core",
                seen: results.ratio(name("seal", "boringssl", frame, true), to: seal, of: \.bytesPerSecond)),
        ]
    }

    private static func files(_ results: [BenchResult]) -> [BenchTarget] {
        func cpu(
            _ title: String, _ ours: String, _ peer: String, _ limit: Double, next: Double? = nil, _ unit: String
        ) -> BenchTarget {
            BenchTarget(
                title: title, relation: .atMost, limit: limit, next: next, unit: unit,
                seen: results.ratio(ours, to: peer, of: \.cpuSecondsPerGiB))
        }
        func less(_ title: String, _ ours: String, _ peer: String) -> BenchTarget {
            BenchTarget(
                title: title, relation: .atLeast, limit: 6, unit: "× less CPU",
                seen: results.ratio(peer, to: ours, of: \.cpuSecondsPerGiB))
        }
        return [
            cpu("seal file to file", "file.seal.forecastle", "file.copy.cp", 1.6, next: 1.3, "× cp's CPU"),
            cpu("seal file to file", "file.seal.forecastle", "file.seal.age", 0.6, "× age's CPU"),
            cpu("open file to file", "file.open.forecastle", "file.open.age", 0.6, "× age's CPU"),
            less("seal, 1 MiB frames, against the Python SDK", "sdk.seal.forecastle", "sdk.seal.python"),
            less("open, 1 MiB frames, against the Python SDK", "sdk.open.forecastle", "sdk.open.python"),
        ]
    }

    private static func memory(_ results: [BenchResult]) -> BenchTarget {
        let peaks = results.filter { $0.name.contains(".forecastle") }.compactMap(\.peakBytes)
        return BenchTarget(
            title: "peak memory of any run", relation: .atMost, limit: 64, unit: "MiB",
            seen: Spread(peaks.map { Double($0) / Double(1 << 20) }.max().map { [$0] } ?? []))
    }
}
