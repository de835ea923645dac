/// Where in the input a row, or a field of it, stands. Prints as `orders.csv, line 5, column 2 (timestamp)`.
package struct RowLocation: Sendable, Hashable, CustomStringConvertible {
    package struct Column: Sendable, Hashable {
        /// Counted from 1, as the schema orders them.
        package let number: Int
        package let name: String
    }

    package let file: String
    /// Counted from 1.
    package internal(set) var line: Int
    package let column: Column?

    package var description: String {
        guard let column else { return "\(file), line \(line)" }
        return "\(file), line \(line), column \(column.number) (\(column.name))"
    }
}
