/// What the authority is to reach under load.
enum AuthorityTargets {
    static func all(_ results: [BenchResult]) -> [BenchTarget] {
        var targets: [BenchTarget] = []
        for (operation, title) in [("gdk", "GenerateDataKey"), ("decrypt", "Decrypt")] {
            for count in [8, 64] {
                let result = results.named("\(operation).ours.\(count)")
                targets.append(
                    BenchTarget(
                        title: "\(title), \(count) connections", relation: .atLeast, limit: 3000, next: 6000, unit: "a second",
                        seen: result?.spread(\.requestsPerSecond)))
                targets.append(
                    BenchTarget(
                        title: "\(title), \(count) connections", relation: .atMost, limit: 0.3, unit: "ms of CPU a request",
                        seen: result?.spread(\.cpuMillisecondsPerRequest)))
            }
            targets.append(
                BenchTarget(
                    title: "\(title), 8 connections, p99", relation: .atMost, limit: 10, unit: "ms",
                    seen: results.named("\(operation).ours.8")?.spread(\.p99Milliseconds)))
            targets.append(
                BenchTarget(
                    title: "\(title), 8 connections, against moto", relation: .atLeast, limit: 7.5,
                    unit: "× moto's requests a second",
                    seen: results.ratio("\(operation).ours.8", to: "\(operation).moto.8", of: \.requestsPerSecond)))
            targets.append(
                BenchTarget(
                    title: "\(title), 8 connections, in a filled database", relation: .atMost, limit: 1.3,
                    unit: "× the CPU of an empty one",
                    seen: results.ratio("\(operation).filled.8", to: "\(operation).ours.8", of: \.wholeMillisecondsPerRequest)))
        }
        return targets
    }
}
