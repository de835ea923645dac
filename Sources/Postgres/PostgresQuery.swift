/// One SQL statement and its parameters. Interpolated values become `$1`, `$2`…; they never become part of the text.
///
/// ```swift
/// let query: PostgresQuery = "SELECT name FROM job WHERE id = \(id) AND state = \(JobState.queued)"
/// ```
/// Strings are sent without a type, so that the server takes the column's (text, varchar, jsonb, an enum); where it cannot
/// know one, write the cast: `\(name)::text`. Every other type is sent as itself (`Int` is int8, `Date` timestamptz…).
package struct PostgresQuery: ExpressibleByStringInterpolation, Sendable {
    package struct StringInterpolation: StringInterpolationProtocol, Sendable {
        var sql = ""
        var parameters: [PostgresParameter] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserveCapacity(literalCapacity + interpolationCount * 3)
            parameters.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { sql += literal }

        /// Binds a value.
        package mutating func appendInterpolation(_ value: some PostgresEncodable) {
            parameters.append(value.postgresParameter)
            sql += "$\(parameters.count)"
        }

        /// Binds a value or NULL. An overload of its own, because the compiler warns of an optional where a parameter is none.
        package mutating func appendInterpolation(_ value: (some PostgresEncodable)?) {
            parameters.append(value.postgresParameter)
            sql += "$\(parameters.count)"
        }

        /// Splices a constant of the source (a column list, a table name). Never hand it anything that came from outside.
        package mutating func appendInterpolation(raw text: String) { sql += text }
    }

    package let sql: String
    let parameters: [PostgresParameter]

    package init(stringLiteral value: String) {
        sql = value
        parameters = []
    }

    package init(stringInterpolation: StringInterpolation) {
        sql = stringInterpolation.sql
        parameters = stringInterpolation.parameters
    }
}
