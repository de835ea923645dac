import AWSProtocol
import Envelope

/// What `seal` and `open` say with `--json`: `{operation, bytesIn, bytesOut, frames, frameBytes, seconds, cipher}`, what an
/// operation adds, then the header as `MessageHeader.json` has it.
struct MessageReport {
    let operation: String
    let header: MessageHeader
    /// Length of the input; nil for a message that came by a pipe.
    let bytesIn: Int?
    let bytesOut: Int
    /// Of the whole message; nil where it came by a pipe or has no frames.
    let frames: Int?
    let seconds: Double
    let cipher: String
    /// What only some operations say.
    var additions: [(String, JSONValue)] = []

    var json: JSONObject {
        var object: JSONObject = [
            "operation": .string(operation), "bytesIn": bytesIn.map { .int(Int64($0)) } ?? .null,
            "bytesOut": .int(Int64(bytesOut)), "frames": frames.map { .int(Int64($0)) } ?? .null,
            "frameBytes": .int(Int64(header.frameBytes)), "seconds": .double((seconds * 1000).rounded() / 1000),
            "cipher": .string(cipher),
        ]
        for (name, value) in additions { object[name] = value }
        for (name, value) in header.json { object[name] = value }
        return object
    }
}
