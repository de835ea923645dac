import AWSProtocol

/// Something that can be measured again and again.
struct BenchCase: Sendable {
    /// `section.what.tool[.variant]`: by this name results meet their targets and earlier runs.
    let name: String
    /// For people.
    let title: String
    let run: @Sendable () async throws -> BenchSample
}

/// All repetitions of one case.
struct BenchResult: Sendable {
    let name: String
    let title: String
    var samples: [BenchSample] = []

    func spread(_ figure: (BenchSample) -> Double) -> Spread? { Spread(samples.map(figure)) }

    /// The highest peak of all repetitions.
    var peakBytes: Int? { samples.compactMap(\.peakBytes).max() }

    var json: JSONValue {
        var object: JSONObject = ["name": .string(name), "title": .string(title)]
        object.append("cpuSecondsPerGiB", ifPresent: spread(\.cpuSecondsPerGiB)?.json)
        object.append("wallSeconds", ifPresent: spread(\.wallSeconds)?.json)
        object.append("bytesPerSecond", ifPresent: spread(\.bytesPerSecond)?.json)
        object.append("requestsPerSecond", ifPresent: spread(\.requestsPerSecond)?.json)
        object.append("p50Milliseconds", ifPresent: spread(\.p50Milliseconds)?.json)
        object.append("p99Milliseconds", ifPresent: spread(\.p99Milliseconds)?.json)
        object.append("cpuMillisecondsPerRequest", ifPresent: spread(\.cpuMillisecondsPerRequest)?.json)
        object.append("peakBytes", ifPresent: peakBytes.map { .int(Int64($0)) })
        object["samples"] = .array(samples.map(\.json))
        return .object(object)
    }

    init(name: String, title: String) {
        self.name = name
        self.title = title
    }

    init?(json: JSONValue) {
        guard let name = json["name"]?.stringValue, let title = json["title"]?.stringValue,
            let samples = json["samples"]?.arrayValue
        else { return nil }
        self.init(name: name, title: title)
        self.samples = samples.compactMap { BenchSample(json: $0) }
    }
}

/// Runs cases in rounds: in each round every case once, in another order each time (the same in every run), so that whatever
/// else the machine does meets all of them alike and nobody always follows the same one. Rounds that warm caches up are
/// not counted.
struct BenchSchedule {
    let warmUps: Int
    let repetitions: Int

    static let repetitionsMax = 100

    func run(
        _ cases: [BenchCase], progress: (_ done: Int, _ total: Int, _ title: String) -> Void
    ) async throws -> [BenchResult] {
        var results = cases.map { BenchResult(name: $0.name, title: $0.title) }
        let rounds = warmUps + repetitions
        var order = SplitMix(state: 1)
        for round in 0..<rounds {
            for (step, index) in cases.indices.shuffled(using: &order).enumerated() {
                progress(round * cases.count + step, rounds * cases.count, cases[index].title)
                try Task.checkCancellation()
                let sample = try await cases[index].run()
                if round >= warmUps { results[index].samples.append(sample) }
            }
        }
        return results
    }
}

/// SplitMix64: small, and the same everywhere. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators".
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
