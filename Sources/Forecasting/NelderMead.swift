/// Minimises a function of a few variables without derivatives. Source: Nelder and Mead 1965.
///
/// Deterministic; ends after `evaluationLimit` evaluations or when the simplex' values differ by less than a relative 1e-8.
struct NelderMead {
    let evaluationLimit: Int

    func minimize(from start: [Double], step: Double, _ objective: ([Double]) -> Double) -> [Double] {
        guard !start.isEmpty else { return start }
        let dimensions = start.count
        var points = [start]
        for dimension in 0..<dimensions {
            var point = start
            point[dimension] += step
            points.append(point)
        }
        var values = points.map(objective)
        var evaluations = values.count
        while evaluations < evaluationLimit {
            let order = values.indices.sorted { values[$0] < values[$1] }
            points = order.map { points[$0] }
            values = order.map { values[$0] }
            let worst = values[dimensions]
            if worst - values[0] <= 1e-8 * (abs(values[0]) + 1e-300) { break }
            var centre = [Double](repeating: 0, count: dimensions)
            for point in points.dropLast() {
                for index in 0..<dimensions { centre[index] += point[index] / Double(dimensions) }
            }
            func along(_ factor: Double) -> [Double] {
                (0..<dimensions).map { centre[$0] + factor * (points[dimensions][$0] - centre[$0]) }
            }
            let reflected = along(-1)
            let reflectedValue = objective(reflected)
            evaluations += 1
            if reflectedValue < values[0] {
                let expanded = along(-2)
                let expandedValue = objective(expanded)
                evaluations += 1
                (points[dimensions], values[dimensions]) =
                    expandedValue < reflectedValue ? (expanded, expandedValue) : (reflected, reflectedValue)
            } else if reflectedValue < values[dimensions - 1] {
                (points[dimensions], values[dimensions]) = (reflected, reflectedValue)
            } else {
                let contracted = along(reflectedValue < worst ? -0.5 : 0.5)
                let contractedValue = objective(contracted)
                evaluations += 1
                if contractedValue < min(worst, reflectedValue) {
                    (points[dimensions], values[dimensions]) = (contracted, contractedValue)
                } else {
                    for index in 1...dimensions {
                        points[index] = zip(points[0], points[index]).map { $0 + 0.5 * ($1 - $0) }
                        values[index] = objective(points[index])
                    }
                    evaluations += dimensions
                }
            }
        }
        let best = values.indices.min { values[$0] < values[$1] } ?? 0
        return points[best]
    }
}
