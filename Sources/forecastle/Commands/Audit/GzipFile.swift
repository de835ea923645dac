import CZlib

/// The gzip format (RFC 1952) in memory, for files of a bounded size.
enum GzipFile {
    struct Failure: Error, CustomStringConvertible {
        var description: String { "zlib could not compress" }
    }

    static func compress(_ bytes: [UInt8]) throws -> [UInt8] {
        var stream = z_stream()
        guard czlib_begin_gzip(&stream, Z_DEFAULT_COMPRESSION) == Z_OK else { throw Failure() }
        defer { deflateEnd(&stream) }
        // Room for everything at once: one call finishes.
        let bound = Int(deflateBound(&stream, uLong(bytes.count)))
        var input = bytes
        return try [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            try input.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = uInt(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = uInt(output.count)
                guard deflate(&stream, Z_FINISH) == Z_STREAM_END else { throw Failure() }
            }
            count = Int(stream.total_out)
        }
    }
}
