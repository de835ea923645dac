#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The first place of a byte; the C library's search is vectorised.
@inline(__always)
func findByte(_ byte: UInt8, _ start: UnsafePointer<UInt8>, _ count: Int) -> UnsafePointer<UInt8>? {
    guard let found = memchr(start, Int32(byte), count) else { return nil }
    return UnsafePointer(found.assumingMemoryBound(to: UInt8.self))
}

/// The newlines in a piece of a file: what a reader that began in the middle adds to the lines it names.
package func countNewlines(in bytes: UnsafeRawBufferPointer) -> Int {
    let buffer = bytes.bindMemory(to: UInt8.self)
    var count = 0
    for byte in buffer where byte == UInt8(ascii: "\n") { count += 1 }
    return count
}
