/// What DescribeDatasetImportJob reports of one attribute, in a form that merges across chunks.
///
/// `count` is the number of values that are present; nulls and NaN are counted apart. Numbers have mean and sum of squared deviations
/// (Chan, Golub and LeVeque 1979), so that merging loses no precision.
package struct FieldStatistics: Sendable, Equatable {
    package let type: AttributeType
    package internal(set) var count = 0
    package internal(set) var nullCount = 0
    package internal(set) var nanCount = 0
    package internal(set) var distinct = DistinctCounter()
    /// Bounds of a numeric attribute; infinite while nothing was seen.
    package internal(set) var minimum = Double.infinity
    package internal(set) var maximum = -Double.infinity
    package internal(set) var earliest = Int64.max
    package internal(set) var latest = Int64.min
    private var finiteCount = 0
    private var mean = 0.0
    private var squares = 0.0

    package init(type: AttributeType) { self.type = type }

    package var distinctCount: Int { distinct.count }
    /// nil without numbers, and where numbers near the largest double overflowed the sums.
    package var average: Double? { finiteCount > 0 && mean.isFinite ? mean : nil }
    /// Of the population, not of a sample.
    package var standardDeviation: Double? {
        finiteCount > 0 && squares.isFinite ? (squares / Double(finiteCount)).squareRoot() : nil
    }
    /// The bounds as the API writes them: numbers in their shortest form, timestamps as `2014-01-01T01:00:00Z`.
    package var minimumText: String? { boundText(minimum, earliest) }
    package var maximumText: String? { boundText(maximum, latest) }

    private func boundText(_ number: Double, _ timestamp: Int64) -> String? {
        if type == .timestamp { return earliest <= latest ? TimestampStyle.isoZ.string(timestamp) : nil }
        guard type.isNumeric, finiteCount > 0 else { return nil }
        return type == .integer && abs(number) < 0x1p63 ? String(Int64(number)) : String(number)
    }

    /// Adds the finite ones among `values` to count, bounds, mean and deviation; NaN stands for missing ones, counted elsewhere.
    mutating func add(numbers values: UnsafeBufferPointer<Double>) {
        var sum = 0.0
        var seen = 0
        var low = minimum
        var high = maximum
        for value in values where !value.isNaN {
            sum += value
            seen += 1
            low = min(low, value)
            high = max(high, value)
        }
        guard seen > 0 else { return }
        let batchMean = sum / Double(seen)
        var batchSquares = 0.0
        for value in values where !value.isNaN { batchSquares += (value - batchMean) * (value - batchMean) }
        minimum = low
        maximum = high
        combine(count: seen, mean: batchMean, squares: batchSquares)
    }

    private mutating func combine(count other: Int, mean otherMean: Double, squares otherSquares: Double) {
        guard other > 0 else { return }
        let total = Double(finiteCount + other)
        let delta = otherMean - mean
        mean += delta * Double(other) / total
        squares += otherSquares + delta * delta * Double(finiteCount) * Double(other) / total
        finiteCount += other
    }

    /// Throws `corruptedChunk` when the other is of another type: chunks of one import share their schema.
    package mutating func merge(_ other: FieldStatistics) throws(TimeSeriesError) {
        guard type == other.type else { throw .corruptedChunk("statistics of different attributes cannot be merged") }
        count += other.count
        nullCount += other.nullCount
        nanCount += other.nanCount
        distinct.merge(other.distinct)
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        earliest = min(earliest, other.earliest)
        latest = max(latest, other.latest)
        combine(count: other.finiteCount, mean: other.mean, squares: other.squares)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.append(UInt8(AttributeType.allCases.firstIndex(of: type) ?? 0))
        for value in [count, nullCount, nanCount, finiteCount] { writer.append(UInt64(value)) }
        writer.append(earliest)
        writer.append(latest)
        for value in [minimum, maximum, mean, squares] { writer.append(value) }
        distinct.encode(into: &writer)
    }

    package init(decoding reader: inout ByteReader) throws(TimeSeriesError) {
        let index = Int(try reader.read(UInt8.self))
        guard index < AttributeType.allCases.count else { throw .corruptedChunk("an attribute of an unknown type") }
        self.init(type: AttributeType.allCases[index])
        count = try Self.count(&reader)
        nullCount = try Self.count(&reader)
        nanCount = try Self.count(&reader)
        finiteCount = try Self.count(&reader)
        earliest = try reader.read()
        latest = try reader.read()
        minimum = try reader.readDouble()
        maximum = try reader.readDouble()
        mean = try reader.readDouble()
        squares = try reader.readDouble()
        distinct = try DistinctCounter(decoding: &reader)
    }

    private static func count(_ reader: inout ByteReader) throws(TimeSeriesError) -> Int {
        let value = try reader.read(UInt64.self)
        guard value < 1 << 48 else { throw .corruptedChunk("a count is impossibly large") }
        return Int(value)
    }
}

/// The statistics of all attributes of a dataset, in schema order, and their encoding.
package struct DatasetStatistics: Sendable, Equatable {
    package internal(set) var fields: [FieldStatistics]

    package init(fields: [FieldStatistics]) { self.fields = fields }
    package init(schema: Schema) { fields = schema.attributes.map { FieldStatistics(type: $0.type) } }

    package mutating func merge(_ other: DatasetStatistics) throws(TimeSeriesError) {
        guard fields.count == other.fields.count else {
            throw .corruptedChunk("statistics of different schemas cannot be merged")
        }
        for index in fields.indices { try fields[index].merge(other.fields[index]) }
    }

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.append(UInt16(fields.count))
        for field in fields { field.encode(into: &writer) }
        return writer.bytes
    }

    package init(decoding bytes: UnsafeRawBufferPointer) throws(TimeSeriesError) {
        var reader = ByteReader(bytes)
        let count = Int(try reader.read(UInt16.self))
        guard count <= Schema.attributeLimit else { throw .corruptedChunk("too many attributes") }
        fields = []
        for _ in 0..<count { fields.append(try FieldStatistics(decoding: &reader)) }
        try reader.finish()
    }

    package init(decoding bytes: [UInt8]) throws(TimeSeriesError) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(TimeSeriesError) in try DatasetStatistics(decoding: buffer) }
        }
        self = try result.get()
    }
}
