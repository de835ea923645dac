package import FoundationEssentials

/// A type whose Swift arrays can be bound and read. `[UInt8]` is bytea; arrays of the others are one-dimensional arrays.
package protocol PostgresArrayElement: Sendable {
    static var postgresArrayType: PostgresType { get }
    static func encode(array: [Self]) -> PostgresParameter
    static func decodeArray(_ cell: PostgresCell) throws -> [Self]
}

/// An element with a binary format of its own.
package protocol PostgresBinaryElement: PostgresArrayElement {
    static var elementType: PostgresType { get }
    var elementBytes: [UInt8] { get }
    static func decode(element: PostgresCell) throws -> Self
}

/// array_send: dimensions, has-null flag, element type; per dimension length and lower bound; per element length and bytes.
extension PostgresBinaryElement {
    package static func encode(array: [Self]) -> PostgresParameter {
        var bytes = [UInt8](bigEndian: Int32(array.isEmpty ? 0 : 1))
        bytes.append(bigEndian: Int32(0))
        bytes.append(bigEndian: elementType.rawValue)
        if !array.isEmpty {
            bytes.append(bigEndian: Int32(array.count))
            bytes.append(bigEndian: Int32(1))
            for element in array {
                let content = element.elementBytes
                bytes.append(bigEndian: Int32(content.count))
                bytes += content
            }
        }
        return PostgresParameter(type: postgresArrayType, content: .binary(bytes))
    }

    package static func decodeArray(_ cell: PostgresCell) throws -> [Self] {
        var reader = BinaryReader(cell.bytes)
        let dimensions = try reader.integer(Int32.self)
        _ = try reader.integer(Int32.self)
        let type = PostgresType(rawValue: try reader.integer(UInt32.self))
        if dimensions == 0 { return [] }
        guard dimensions == 1 else { throw PostgresDecodingFailure() }
        let count = Int(try reader.integer(Int32.self))
        _ = try reader.integer(Int32.self)
        // Each element takes at least its length field: a lying count cannot make us allocate.
        guard count >= 0, count <= reader.remaining / MemoryLayout<Int32>.size else { throw PostgresDecodingFailure() }
        var elements: [Self] = []
        elements.reserveCapacity(count)
        for _ in 0..<count {
            let length = try reader.integer(Int32.self)
            guard length >= 0 else { throw PostgresDecodingFailure() }
            elements.append(try decode(element: PostgresCell(type: type, bytes: try reader.take(Int(length)))))
        }
        return elements
    }
}

extension PostgresBinaryElement where Self: PostgresBinaryEncodable {
    package static var elementType: PostgresType { postgresType }
    package var elementBytes: [UInt8] { postgresBytes }
}

extension PostgresBinaryElement where Self: PostgresDecodable {
    package static func decode(element: PostgresCell) throws -> Self { try Self(postgres: element) }
}

extension Bool: PostgresBinaryElement { package static var postgresArrayType: PostgresType { .boolArray } }
extension Int: PostgresBinaryElement { package static var postgresArrayType: PostgresType { .int8Array } }
extension Int64: PostgresBinaryElement { package static var postgresArrayType: PostgresType { .int8Array } }
extension Int32: PostgresBinaryElement { package static var postgresArrayType: PostgresType { .int4Array } }
extension Double: PostgresBinaryElement { package static var postgresArrayType: PostgresType { .float8Array } }
extension UUID: PostgresBinaryElement { package static var postgresArrayType: PostgresType { .uuidArray } }
extension Date: PostgresBinaryElement { package static var postgresArrayType: PostgresType { .timestamptzArray } }

extension String: PostgresBinaryElement {
    package static var postgresArrayType: PostgresType { .textArray }
    package static var elementType: PostgresType { .text }
    package var elementBytes: [UInt8] { [UInt8](utf8) }
}

extension UInt8: PostgresArrayElement {
    package static var postgresArrayType: PostgresType { .bytea }
    package static func encode(array: [UInt8]) -> PostgresParameter {
        PostgresParameter(type: .bytea, content: .binary(array))
    }
    package static func decodeArray(_ cell: PostgresCell) throws -> [UInt8] {
        guard cell.type == .bytea else { throw PostgresDecodingFailure() }
        return [UInt8](cell.bytes)
    }
}

extension Array: PostgresArrayElement where Element == UInt8 {
    package static var postgresArrayType: PostgresType { .byteaArray }
}

extension Array: PostgresBinaryElement where Element == UInt8 {
    package static var elementType: PostgresType { .bytea }
    package var elementBytes: [UInt8] { self }
    package static func decode(element: PostgresCell) throws -> [UInt8] { try UInt8.decodeArray(element) }
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    package static var postgresType: PostgresType { Element.postgresArrayType }
    package var postgresParameter: PostgresParameter { Element.encode(array: self) }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    package init(postgres cell: PostgresCell) throws { self = try Element.decodeArray(cell) }
}
