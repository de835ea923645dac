import AWSProtocol

/// One run of one case.
struct BenchSample: Sendable, Equatable {
    let wallSeconds: Double
    /// User and system time of all threads.
    let cpuSeconds: Double
    /// What the run worked through.
    let bytes: Int
    /// Peak resident memory, where the run was a process of its own.
    var peakBytes: Int?

    var cpuSecondsPerGiB: Double { cpuSeconds / Double(bytes) * Double(1 << 30) }
    /// Bytes a CPU second: speed of one core.
    var bytesPerCPUSecond: Double { Double(bytes) / cpuSeconds }
    var bytesPerSecond: Double { Double(bytes) / wallSeconds }

    var json: JSONValue {
        var object: JSONObject = [
            "wallSeconds": .double(wallSeconds), "cpuSeconds": .double(cpuSeconds), "bytes": .int(Int64(bytes)),
        ]
        object.append("peakBytes", ifPresent: peakBytes.map { .int(Int64($0)) })
        return .object(object)
    }

    init(wallSeconds: Double, cpuSeconds: Double, bytes: Int, peakBytes: Int? = nil) {
        self.wallSeconds = wallSeconds
        self.cpuSeconds = cpuSeconds
        self.bytes = bytes
        self.peakBytes = peakBytes
    }

    init?(json: JSONValue) {
        guard let wall = json["wallSeconds"]?.doubleValue, let cpu = json["cpuSeconds"]?.doubleValue,
            let bytes = json["bytes"]?.intValue, bytes > 0
        else { return nil }
        self.init(wallSeconds: wall, cpuSeconds: cpu, bytes: Int(bytes), peakBytes: json["peakBytes"]?.intValue.map { Int($0) })
    }
}

/// Median and extremes of one figure over the repetitions.
struct Spread: Sendable, Equatable {
    let median: Double
    let low: Double
    let high: Double

    /// `nil` where there is nothing.
    init?(_ values: [Double]) {
        let sorted = values.filter(\.isFinite).sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        let middle = sorted.count / 2
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        (low, high) = (first, last)
    }

    /// `0.41 (0.39–0.44)`
    func text(_ places: Int) -> String {
        "\(Amount.decimals(median, places)) (\(Amount.decimals(low, places))–\(Amount.decimals(high, places)))"
    }

    var json: JSONValue { ["median": .double(median), "low": .double(low), "high": .double(high)] }
}
