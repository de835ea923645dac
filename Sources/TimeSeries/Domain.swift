/// A dataset domain: it names the columns that a schema must have.
package enum Domain: String, Sendable, Hashable, CaseIterable {
    case retail = "RETAIL"
    case custom = "CUSTOM"
    case inventoryPlanning = "INVENTORY_PLANNING"
    case ec2Capacity = "EC2_CAPACITY"
    case workForce = "WORK_FORCE"
    case webTraffic = "WEB_TRAFFIC"
    case metrics = "METRICS"

    package static let timestampName = "timestamp"

    /// The column that identifies an item.
    package var itemName: String {
        switch self {
        case .retail, .custom, .inventoryPlanning, .webTraffic: "item_id"
        case .ec2Capacity: "instance_type"
        case .workForce: "workforce_type"
        case .metrics: "metric_name"
        }
    }

    /// The column that is forecast.
    package var targetName: String {
        switch self {
        case .retail, .inventoryPlanning: "demand"
        case .custom: "target_value"
        case .ec2Capacity: "number_of_instances"
        case .workForce: "workforce_demand"
        case .webTraffic: "value"
        case .metrics: "metric_value"
        }
    }

    /// EC2_CAPACITY knows no item metadata.
    package func allows(_ type: DatasetType) -> Bool { !(self == .ec2Capacity && type == .itemMetadata) }
}
