/// One row. Values are read when asked for.
package struct PostgresRow: Sendable {
    let result: PostgresResult
    let index: Int

    /// Reads a column by name. NULL is an error unless `type` is an Optional.
    /// Throws `.noSuchColumn` or `.decoding`; neither holds the value.
    package func get<T: PostgresDecodable>(_ column: String, as type: T.Type = T.self) throws -> T {
        try get(try position(of: column), as: type)
    }

    package func get<T: PostgresDecodable>(_ column: String, as type: T?.Type = T?.self) throws -> T? {
        try get(try position(of: column), as: type)
    }

    /// Reads a column by its place, from 0.
    package func get<T: PostgresDecodable>(_ column: Int, as type: T.Type = T.self) throws -> T {
        guard let value = try get(column, as: T?.self) else {
            throw PostgresError(.decoding, message: "Column \(result.columnName(column)) is null where a \(T.self) is due.")
        }
        return value
    }

    package func get<T: PostgresDecodable>(_ column: Int, as type: T?.Type = T?.self) throws -> T? {
        guard (0..<result.columnCount).contains(column) else {
            throw PostgresError(.noSuchColumn, message: "The answer has no column \(column).")
        }
        do {
            return try result.withCell(row: index, column: column) { cell in try cell.map { try T(postgres: $0) } }
        } catch is PostgresDecodingFailure {
            throw PostgresError(.decoding, message: "Column \(result.columnName(column)) cannot be read as \(T.self).")
        }
    }

    package var columnNames: [String] { (0..<result.columnCount).map(result.columnName) }

    private func position(of column: String) throws -> Int {
        guard let position = result.column(named: column) else {
            throw PostgresError(.noSuchColumn, message: "The answer has no column \(column).")
        }
        return position
    }
}
