package import AWSProtocol
package import TimeSeries

/// How much an import holds and from when to when: what a training job is planned by. A section of the import's manifest.
package struct DataExtent: Sendable, Hashable {
    package var rows: Int
    /// Timestamps as they stand in the data.
    package var earliest: EpochSeconds
    package var latest: EpochSeconds

    package static let section = "extent"

    package init(rows: Int, earliest: EpochSeconds, latest: EpochSeconds) {
        self.rows = rows
        self.earliest = earliest
        self.latest = latest
    }

    /// Of several imports together; nil of none.
    package init?(merging extents: [DataExtent]) {
        guard let first = extents.first else { return nil }
        self = extents.dropFirst().reduce(first) { merged, extent in
            DataExtent(
                rows: merged.rows + extent.rows, earliest: min(merged.earliest, extent.earliest),
                latest: max(merged.latest, extent.latest))
        }
    }

    /// Throws `AWSError` where the section is not one.
    package init?(sections: JSONObject) throws {
        guard let extent = try sections.optionalObject(Self.section) else { return nil }
        rows = try extent.requiredInt("rows")
        earliest = EpochSeconds(try extent.requiredInt("earliest"))
        latest = EpochSeconds(try extent.requiredInt("latest"))
    }

    package var json: JSONValue { ["rows": .int(Int64(rows)), "earliest": .int(earliest), "latest": .int(latest)] }
}
