import AWSProtocol

/// A ratio that is to be reached, or a bound that is to be kept: `docs/performance.md` shows each with what was seen.
struct BenchTarget: Sendable {
    enum Relation: String, Sendable {
        case atLeast, atMost

        var sign: String { self == .atLeast ? "≥" : "≤" }
    }

    let title: String
    let relation: Relation
    let limit: Double
    /// The next target, once this one is reached.
    var next: Double?
    let unit: String
    /// `nil` where the run lacks a result that it needs: a peer that is not installed, a section left out.
    let seen: Spread?

    var isReached: Bool? { seen.map { isWithin(limit, $0.median) } }
    var isNextReached: Bool? { seen.flatMap { seen in next.map { isWithin($0, seen.median) } } }

    private func isWithin(_ limit: Double, _ value: Double) -> Bool {
        relation == .atLeast ? value >= limit : value <= limit
    }

    var limitText: String {
        let next = next.map { " [\(number($0))]" } ?? ""
        return "\(relation.sign) \(number(limit))\(next) \(unit)"
    }

    var verdict: String {
        switch (isReached, isNextReached) {
        case (nil, _): "not measured"
        case (false, _): "**not reached**"
        case (true, true): "reached, and the next"
        default: "reached"
        }
    }

    private func number(_ value: Double) -> String {
        value == value.rounded() ? Amount.decimals(value, value < 10 ? 1 : 0) : Amount.decimals(value, value < 1 ? 2 : 1)
    }

    var json: JSONValue {
        var object: JSONObject = [
            "title": .string(title), "relation": .string(relation.rawValue), "limit": .double(limit), "unit": .string(unit),
        ]
        object.append("next", ifPresent: next.map { .double($0) })
        object.append("seen", ifPresent: seen?.json)
        object.append("reached", ifPresent: isReached.map { .bool($0) })
        return .object(object)
    }
}

extension [BenchResult] {
    func named(_ name: String) -> BenchResult? { first { $0.name == name && !$0.samples.isEmpty } }

    /// Ratio of one figure of two cases, repetition by repetition: both ran close to each other, so load cancels out.
    func ratio(_ name: String, to peer: String, of figure: (BenchSample) -> Double) -> Spread? {
        guard let ours = named(name), let theirs = named(peer) else { return nil }
        return Spread(zip(ours.samples, theirs.samples).map { figure($0) / figure($1) })
    }
}
