import TimeSeries

extension FittedSeries {
    private static let version: UInt8 = 1
    private static let componentLimit = 16
    private static let periodLimit = 2000
    /// Beyond any step of a four-digit year.
    private static let indexLimit: Int64 = 1 << 40

    package var encoded: [UInt8] {
        var writer = ByteWriter(reserving: 1024)
        writer.append(Self.version)
        writer.append(ensemble.bounds.lowerBound)
        writer.append(ensemble.bounds.upperBound)
        writer.appendSigned(Int64(next))
        writer.appendVarint(horizon)
        writer.append(UInt8(ensemble.components.count))
        for (component, weight) in zip(ensemble.components, ensemble.weights) {
            writer.append(weight)
            writer.append(component.transform.rawValue)
            Self.append(component.model, to: &writer)
            for value in component.profile.scales { writer.append(Float(value).bitPattern) }
            for value in component.profile.shape { writer.append(Float(value).bitPattern) }
        }
        return writer.bytes
    }

    private static func append(_ model: Component.Model, to writer: inout ByteWriter) {
        switch model {
        case .seasonalNaive(let season):
            writer.append(UInt8(0))
            writer.appendVarint(season.count)
            for value in season { writer.append(value) }
        case .smoothing(let shape, let parameters, let state):
            writer.append(UInt8(1))
            writer.append(shape.trend.rawValue)
            writer.append(shape.season.rawValue)
            writer.appendVarint(shape.period)
            for value in [
                parameters.alpha, parameters.beta, parameters.gamma, parameters.phi, state.level, state.trend,
            ] {
                writer.append(value)
            }
            writer.appendVarint(state.phase)
            for value in state.seasonal { writer.append(value) }
        }
    }

    /// Throws `ForecastingError` or `TimeSeriesError` where the bytes are not what `encoded` writes.
    package init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = ByteReader(bytes)
        guard try reader.read(UInt8.self) == Self.version else { throw ForecastingError.corruptedData("an unknown version") }
        let (low, high) = (try reader.readDouble(), try reader.readDouble())
        let next = try reader.readSigned()
        let horizon = try reader.readVarint()
        let count = try reader.read(UInt8.self)
        guard low <= high, (-Self.indexLimit...Self.indexLimit).contains(next),
            (1...UInt64(PredictorSettings.horizonLimit)).contains(horizon),
            (1...Self.componentLimit).contains(Int(count))
        else { throw ForecastingError.corruptedData("a fitted series is impossible") }
        var components: [Component] = []
        var weights: [Double] = []
        for _ in 0..<count {
            weights.append(try reader.readDouble())
            guard let transform = Transform(rawValue: try reader.read()) else {
                throw ForecastingError.corruptedData("a transform is unknown")
            }
            let model = try Self.model(&reader)
            let profile = ErrorProfile(
                scales: try Self.floats(&reader, Int(horizon)), shape: try Self.floats(&reader, ErrorProfile.knots.count))
            components.append(Component(model: model, transform: transform, profile: profile))
        }
        try reader.finish()
        self.init(
            next: Int(next), horizon: Int(horizon),
            ensemble: Ensemble(components: components, weights: weights, bounds: low...high))
    }

    package init(decoding bytes: [UInt8]) throws {
        self = try bytes.withUnsafeBytes { try FittedSeries(decoding: $0) }
    }

    private static func model(_ reader: inout ByteReader) throws -> Component.Model {
        switch try reader.read(UInt8.self) {
        case 0:
            let season = try doubles(&reader, try period(&reader))
            return .seasonalNaive(lastSeason: season)
        case 1:
            guard let trend = SmoothingShape.Trend(rawValue: try reader.read()),
                let season = SmoothingShape.Season(rawValue: try reader.read())
            else { throw ForecastingError.corruptedData("a model is unknown") }
            let shape = SmoothingShape(trend: trend, season: season, period: try period(&reader))
            let values = try doubles(&reader, 6)
            let phase = try reader.readVarint()
            guard phase < UInt64(max(shape.period, 1)) else { throw ForecastingError.corruptedData("a phase is impossible") }
            let seasonal = try doubles(&reader, shape.season == .none ? 0 : shape.period)
            return .smoothing(
                shape, SmoothingParameters(alpha: values[0], beta: values[1], gamma: values[2], phi: values[3]),
                SmoothingState(level: values[4], trend: values[5], seasonal: seasonal, phase: Int(phase)))
        default: throw ForecastingError.corruptedData("a model is unknown")
        }
    }

    private static func period(_ reader: inout ByteReader) throws -> Int {
        let period = try reader.readVarint()
        guard (1...UInt64(periodLimit)).contains(period) else { throw ForecastingError.corruptedData("a season is impossible") }
        return Int(period)
    }

    private static func doubles(_ reader: inout ByteReader, _ count: Int) throws -> [Double] {
        var values: [Double] = []
        for _ in 0..<count { values.append(try reader.readDouble()) }
        return values
    }

    private static func floats(_ reader: inout ByteReader, _ count: Int) throws -> [Double] {
        var values: [Double] = []
        for _ in 0..<count { values.append(Double(Float(bitPattern: try reader.read()))) }
        return values
    }
}
