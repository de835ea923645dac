import AWSProtocol

/// Rows for people (a table) or for machines (JSON: an array of objects, one a line).
struct AdminListing {
    let columns: [String]
    private(set) var rows: [[String]] = []

    init(_ columns: String...) { self.columns = columns }

    mutating func add(_ cells: String...) { rows.append(cells) }

    func show(json: Bool) { print(json ? jsonText : table) }

    private var jsonText: String {
        let objects = rows.map { row in
            JSONObject(zip(columns, row).map { ($0.camelCased, JSONValue.string($1)) }).serializedString
        }
        return objects.isEmpty ? "[]" : "[\n  " + objects.joined(separator: ",\n  ") + "\n]"
    }

    var table: String {
        let widths = columns.indices.map { column in
            ([columns[column]] + rows.map { $0[column] }).map(\.count).max() ?? 0
        }
        return ([columns] + rows).map { row in
            var line = ""
            for (cell, width) in zip(row, widths) {
                line += cell + String(repeating: " ", count: width - cell.count + 2)
            }
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
