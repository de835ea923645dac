import Crypto
import FoundationEssentials

/// One numbered SQL file of a set: `migrations/<set>/NNNN_name.sql`.
package struct MigrationFile: Sendable, Equatable {
    package let number: Int
    package let name: String
    /// SHA-256 of the file's bytes, in lower-case hexadecimal.
    package let checksum: String
    let sql: String

    package var fileName: String { Self.fileName(number: number, name: name) }

    static func fileName(number: Int, name: String) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "_" + name + ".sql"
    }

    package init(fileName: String, contents: [UInt8]) throws {
        guard let match = fileName.wholeMatch(of: /([0-9]{4})_([a-z0-9_]+)\.sql/), let number = Int(match.output.1), number > 0
        else {
            throw MigrationFile.fault("\(fileName): a migration is named NNNN_name.sql, with a name of a-z, 0-9 and _.")
        }
        guard let sql = String(validating: contents, as: UTF8.self), !sql.utf8.contains(0) else {
            throw MigrationFile.fault("\(fileName): is not UTF-8 text.")
        }
        self.number = number
        name = String(match.output.2)
        self.sql = sql
        let hexadecimal = Array("0123456789abcdef")
        checksum = String(SHA256.hash(data: contents).flatMap { [hexadecimal[Int($0 >> 4)], hexadecimal[Int($0 & 15)]] })
    }

    /// The files of a folder in order: numbers from 1, each once, none left out. A folder that is not there is an empty set
    /// only to the caller who says so; here it is an error.
    static func read(directory: String) throws -> [MigrationFile] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw fault("\(directory): cannot be read as a folder of migrations.")
        }
        let files = try names.filter { $0.hasSuffix(".sql") }.map { name in
            guard let data = FileManager.default.contents(atPath: directory + "/" + name) else {
                throw fault("\(name): cannot be read.")
            }
            return try MigrationFile(fileName: name, contents: [UInt8](data))
        }
        return try ordered(files)
    }

    package static func ordered(_ files: [MigrationFile]) throws -> [MigrationFile] {
        let files = files.sorted { ($0.number, $0.name) < ($1.number, $1.name) }
        for (file, expected) in zip(files, 1...) where file.number != expected {
            throw fault(
                file.number < expected
                    ? "\(file.fileName): its number is taken by another file."
                    : "\(file.fileName): number \(expected) is missing before it.")
        }
        return files
    }

    static func fault(_ message: String) -> PostgresError { PostgresError(.migration, message: message) }
}
