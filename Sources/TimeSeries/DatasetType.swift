/// The three kinds of dataset that a dataset group may hold, at most one of each.
package enum DatasetType: String, Sendable, Hashable, CaseIterable {
    case targetTimeSeries = "TARGET_TIME_SERIES"
    case relatedTimeSeries = "RELATED_TIME_SERIES"
    case itemMetadata = "ITEM_METADATA"

    /// The most columns a dataset of this type may have: item, timestamp, target, 10 dimensions, 13 related features.
    package var columnLimit: Int {
        switch self {
        case .targetTimeSeries: 13
        case .relatedTimeSeries: 25
        case .itemMetadata: 10
        }
    }
}
