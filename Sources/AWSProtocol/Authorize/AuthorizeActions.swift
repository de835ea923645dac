/// What the Forecast API has decided for each of its operations: part of the contract of `Authorize`, held by both of its sides.
///
/// The API asks what its operation's row says; the authority answers no question that is not in the row of the operation that
/// the caller signed. `docs/forecastapi.md` has the same table for people, and a test compares the two.
package enum AuthorizeActions {
    /// What `forecast:<operation>` is decided on.
    package enum Own: String, Sendable {
        /// The ARN that the new resource gets.
        case made
        /// The ARN that the request names.
        case named
        /// `*`: no resource.
        case all
    }

    /// What else is asked, and about what.
    package struct Ask: Sendable, Hashable {
        package enum Right: String, Sendable {
            /// The caller may pass the role to the service.
            case passRole
            /// The caller may use the key: a call forwarded by the service.
            case useKey
            /// The role that is passed may read the place.
            case readBucket
            /// The role that is passed may write the place.
            case writeBucket

            package var actions: [String] {
                switch self {
                case .passRole: ["iam:PassRole"]
                case .useKey: ["kms:Decrypt", "kms:GenerateDataKey"]
                case .readBucket: ["s3:GetObject", "s3:ListBucket"]
                case .writeBucket: ["s3:PutObject"]
                }
            }
        }

        package let right: Right
        /// The member or resource whose role, key or place it is. A key is asked about where there is one.
        package let of: String

        static func ask(_ right: Right, of what: String) -> Ask { Ask(right: right, of: what) }
    }

    package struct Row: Sendable {
        package let operation: String
        package let own: Own
        package let asks: [Ask]

        /// Every action that may be asked about for this operation.
        package var actions: Set<String> {
            Set(["forecast:\(operation)"] + asks.flatMap(\.right.actions))
        }
    }

    package static let byOperation = Dictionary(uniqueKeysWithValues: rows.map { ($0.operation, $0) })

    package static let rows: [Row] =
        [
            row("CreateDataset", .made, encryptionConfig),
            row("CreateDatasetGroup", .made),
            row("UpdateDatasetGroup", .named),
            row(
                "CreateDatasetImportJob", .named,
                [.ask(.passRole, of: "DataSource"), .ask(.readBucket, of: "DataSource"), .ask(.useKey, of: "DataSource")]
                    + [.ask(.useKey, of: "the dataset"), .ask(.passRole, of: "the dataset")]),
            row("CreateAutoPredictor", .made, encryptionConfig + [.ask(.useKey, of: "the group's datasets")]),
            row("CreatePredictor", .made, encryptionConfig + [.ask(.useKey, of: "the group's datasets")]),
            row("GetAccuracyMetrics", .named, [.ask(.useKey, of: "the predictor")]),
            row("CreatePredictorBacktestExportJob", .named, destination + [.ask(.useKey, of: "the predictor")]),
            row("CreateForecast", .made, [.ask(.useKey, of: "the predictor")]),
            row("QueryForecast", .named, [.ask(.useKey, of: "the forecast")]),
            row("CreateForecastExportJob", .named, destination + [.ask(.useKey, of: "the forecast")]),
            row("StopResource", .named),
        ]
        + described.map { row("Describe\($0)", .named, $0 == "DatasetImportJob" ? statistics : []) }
        + described.map { row("List\($0)s", .all) }
        + described.map { row("Delete\($0)", .named) } + [row("DescribeAutoPredictor", .named)]

    private static let described = [
        "Dataset", "DatasetGroup", "DatasetImportJob", "Predictor", "PredictorBacktestExportJob", "Forecast",
        "ForecastExportJob",
    ]

    /// Without it the statistics are left out, and the call succeeds.
    private static let statistics: [Ask] = [.ask(.useKey, of: "the dataset (FieldStatistics alone)")]
    private static let encryptionConfig: [Ask] = [
        .ask(.passRole, of: "EncryptionConfig"), .ask(.useKey, of: "EncryptionConfig"),
    ]
    private static let destination: [Ask] = [
        .ask(.passRole, of: "Destination"), .ask(.writeBucket, of: "Destination"), .ask(.useKey, of: "Destination"),
    ]

    private static func row(_ operation: String, _ own: Own, _ asks: [Ask] = []) -> Row {
        Row(operation: operation, own: own, asks: asks)
    }
}
