import AWSProtocol
import TimeSeries

/// The sections of an import's manifest. Values from the data stand here, under the key, and nowhere else.
struct ImportManifest: Sendable {
    static let bytesInGigabyte = 1_073_741_824.0

    var document: ImportDocument
    var layout: DatasetLayout
    var statistics: DatasetStatistics
    var rows: Int
    /// Bytes of CSV.
    var bytes: Int

    var sections: JSONObject {
        var sections: JSONObject = [
            "schema": .array(document.schema.map { ["name": .string($0.name), "type": .string($0.type)] }),
            "order": "file, line",
            "counts": ["rows": .int(Int64(rows)), "bytes": .int(Int64(bytes))],
            "statistics": .object(fields),
        ]
        sections.append(DataExtent.section, ifPresent: extent?.json)
        return sections
    }

    /// nil for a dataset without timestamps.
    private var extent: DataExtent? {
        guard let column = layout.timestampColumn, statistics.fields[column].count > 0 else { return nil }
        return DataExtent(rows: rows, earliest: statistics.fields[column].earliest, latest: statistics.fields[column].latest)
    }

    /// `FieldStatistics` as DescribeDatasetImportJob shows them.
    private var fields: JSONObject {
        JSONObject(
            zip(layout.schema.attributes, statistics.fields).map { attribute, field in
                var shown = JSONObject()
                for (name, count) in [
                    ("Count", field.count), ("CountDistinct", field.distinctCount), ("CountNull", field.nullCount),
                ] { Self.append(name, count, to: &shown) }
                if attribute.type.isNumeric { Self.append("CountNan", field.nanCount, to: &shown) }
                shown.append("Min", ifPresent: field.minimumText.map { .string($0) })
                shown.append("Max", ifPresent: field.maximumText.map { .string($0) })
                if attribute.type.isNumeric {
                    shown.append("Avg", ifPresent: field.average.map { .double($0) })
                    shown.append("Stddev", ifPresent: field.standardDeviation.map { .double($0) })
                }
                return (attribute.name, .object(shown))
            })
    }

    /// Counts beyond 2³¹−1 are −1 there and stand in the member with `Long`.
    private static func append(_ name: String, _ count: Int, to object: inout JSONObject) {
        object[name] = .int(count > Int(Int32.max) ? -1 : Int64(count))
        object["\(name)Long"] = .int(Int64(count))
    }
}
