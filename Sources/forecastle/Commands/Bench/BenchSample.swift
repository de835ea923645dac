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
    /// Where the run was a load of requests.
    var requests: RequestFigures?

    var cpuSecondsPerGiB: Double { cpuSeconds / Double(bytes) * Double(1 << 30) }
    /// Bytes a CPU second: speed of one core.
    var bytesPerCPUSecond: Double { Double(bytes) / cpuSeconds }
    var bytesPerSecond: Double { Double(bytes) / wallSeconds }

    /// Not a number where there were no requests, as the figures below.
    var requestsPerSecond: Double { requests.map { Double($0.count) / wallSeconds } ?? .nan }
    /// Of the process that answered.
    var cpuMillisecondsPerRequest: Double { requests.map { cpuSeconds / Double($0.count) * 1000 } ?? .nan }
    var databaseMillisecondsPerRequest: Double {
        requests.flatMap { figures in figures.databaseCPUSeconds.map { $0 / Double(figures.count) * 1000 } } ?? .nan
    }
    /// Of both: what a request costs, however busy processor and disk are with something else.
    var wholeMillisecondsPerRequest: Double { cpuMillisecondsPerRequest + databaseMillisecondsPerRequest }
    var p50Milliseconds: Double { requests.map { $0.p50Seconds * 1000 } ?? .nan }
    var p99Milliseconds: Double { requests.map { $0.p99Seconds * 1000 } ?? .nan }

    var json: JSONValue {
        var object: JSONObject = [
            "wallSeconds": .double(wallSeconds), "cpuSeconds": .double(cpuSeconds), "bytes": .int(Int64(bytes)),
        ]
        object.append("peakBytes", ifPresent: peakBytes.map { .int(Int64($0)) })
        object.append("requests", ifPresent: requests?.json)
        return .object(object)
    }

    init(wallSeconds: Double, cpuSeconds: Double, bytes: Int, peakBytes: Int? = nil, requests: RequestFigures? = nil) {
        self.wallSeconds = wallSeconds
        self.cpuSeconds = cpuSeconds
        self.bytes = bytes
        self.peakBytes = peakBytes
        self.requests = requests
    }

    init?(json: JSONValue) {
        guard let wall = json["wallSeconds"]?.doubleValue, let cpu = json["cpuSeconds"]?.doubleValue,
            let bytes = json["bytes"]?.intValue
        else { return nil }
        let requests = json["requests"].flatMap { RequestFigures(json: $0) }
        guard bytes > 0 || requests != nil else { return nil }
        self.init(
            wallSeconds: wall, cpuSeconds: cpu, bytes: Int(bytes), peakBytes: json["peakBytes"]?.intValue.map { Int($0) },
            requests: requests)
    }
}

/// What a load of requests showed.
struct RequestFigures: Sendable, Equatable {
    let count: Int
    let p50Seconds: Double
    let p99Seconds: Double
    /// Of the database behind the process that answered.
    var databaseCPUSeconds: Double?

    var json: JSONValue {
        var object: JSONObject = [
            "count": .int(Int64(count)), "p50Seconds": .double(p50Seconds), "p99Seconds": .double(p99Seconds),
        ]
        object.append("databaseCPUSeconds", ifPresent: databaseCPUSeconds.map { .double($0) })
        return .object(object)
    }

    init(count: Int, p50Seconds: Double, p99Seconds: Double, databaseCPUSeconds: Double? = nil) {
        self.count = count
        self.p50Seconds = p50Seconds
        self.p99Seconds = p99Seconds
        self.databaseCPUSeconds = databaseCPUSeconds
    }

    init?(json: JSONValue) {
        guard let count = json["count"]?.intValue, count > 0, let p50 = json["p50Seconds"]?.doubleValue,
            let p99 = json["p99Seconds"]?.doubleValue
        else { return nil }
        self.init(
            count: Int(count), p50Seconds: p50, p99Seconds: p99, databaseCPUSeconds: json["databaseCPUSeconds"]?.doubleValue)
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
