import Postgres

extension Catalog {
    /// One page of a list.
    package struct Page: Sendable {
        package var resources: [Resource]
        /// Where the next page begins; nil on the last one.
        package var next: Cursor?
    }

    /// The last row of a page: lists go from the newest to the oldest.
    package struct Cursor: Sendable, Equatable {
        /// Microseconds since 1970: PostgreSQL's own precision, so that no row is skipped or shown twice.
        package var createdAtMicroseconds: Int64
        package var arn: String

        package init(createdAtMicroseconds: Int64, arn: String) {
            self.createdAtMicroseconds = createdAtMicroseconds
            self.arn = arn
        }
    }

    /// A condition on a column; conditions are joined by AND.
    package struct Condition: Sendable, Equatable {
        package enum Field: String, Sendable {
            case status, parentARN = "parent_arn"
            /// The dataset group of a predictor or forecast, kept among its attributes.
            case datasetGroupARN = "dataset_group_arn"
        }

        package var field: Field
        package var value: String
        /// False for `IS_NOT`.
        package var isEqual: Bool

        package init(field: Field, value: String, isEqual: Bool) {
            self.field = field
            self.value = value
            self.isEqual = isEqual
        }
    }

    package func list(
        account: String, type: ResourceType, conditions: [Condition], after cursor: Cursor?, limit: Int
    ) async throws -> Page {
        // `= ALL` and `<> ALL` of an empty array hold: one statement serves every set of filters.
        func values(_ field: Condition.Field, _ isEqual: Bool) -> [String] {
            conditions.filter { $0.field == field && $0.isEqual == isEqual }.map(\.value)
        }
        let rows = try await pool.query(
            """
            SELECT \(raw: Resource.columns), (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
            FROM resources
            WHERE account = \(account) AND type = \(type.rawValue)
                AND status = ALL(\(values(.status, true))) AND status <> ALL(\(values(.status, false)))
                AND COALESCE(parent_arn, '') = ALL(\(values(.parentARN, true)))
                AND COALESCE(parent_arn, '') <> ALL(\(values(.parentARN, false)))
                AND COALESCE(attributes::jsonb ->> 'DatasetGroupArn', '') = ALL(\(values(.datasetGroupARN, true)))
                AND COALESCE(attributes::jsonb ->> 'DatasetGroupArn', '') <> ALL(\(values(.datasetGroupARN, false)))
                AND (\(cursor == nil) OR ((extract(epoch FROM created_at) * 1000000)::bigint, arn)
                    < (\(cursor?.createdAtMicroseconds ?? 0), \(cursor?.arn ?? "")))
            ORDER BY created_at DESC, arn DESC LIMIT \(limit + 1)
            """)
        let resources = try rows.prefix(limit).map(Resource.init(row:))
        guard rows.count > limit, let last = resources.last else { return Page(resources: resources, next: nil) }
        let microseconds = try rows[limit - 1].get("created_us", as: Int64.self)
        return Page(resources: resources, next: Cursor(createdAtMicroseconds: microseconds, arn: last.arn))
    }
}
