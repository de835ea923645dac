import AWSProtocol
import Artifacts
import Dispatch
import Glibc

/// The workers' key leases, one line of JSON each time that something happens under one. A line is written whole by one call, so
/// that all workers of a machine can share the file; its time is the machine's monotonic clock, the same for all of them.
final class FrameTraceFile: Sendable {
    private let descriptor: Int32

    /// Nil where the settings name none.
    static func configured(_ values: ConfigurationValues) throws -> FrameTrace? {
        let path = values.string("faults.frame_trace")
        guard !path.isEmpty else { return nil }
        let file = try FrameTraceFile(path)
        return FrameTrace { event, resource, key in file.write(event, resource, key) }
    }

    private init(_ path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ConfigurationError(
                key: "faults.frame_trace", rule: "names a file that can't be written: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    private func write(_ event: FrameTrace.Event, _ resource: String, _ key: String) {
        let now = DispatchTime.now().uptimeNanoseconds
        var object: JSONObject = [
            "at": .int(Int64(now)), "pid": .int(Int64(getpid())), "resource": .string(resource), "key": .string(key),
        ]
        switch event {
        case .held: object["event"] = "held"
        case .sealed(let bytes): (object["event"], object["bytes"]) = ("sealed", .int(Int64(bytes)))
        case .opened(let bytes): (object["event"], object["bytes"]) = ("opened", .int(Int64(bytes)))
        case .confirmed(let ago):
            object["event"] = "confirmed"
            object["asked"] = .int(
                Int64(now) - ago.components.seconds * 1_000_000_000 - ago.components.attoseconds / 1_000_000_000)
        case .lost(let wiped, let handlers, let reason):
            (object["event"], object["wiped"], object["handlers"]) = ("lost", .int(Int64(wiped)), .int(Int64(handlers)))
            object["reason"] = .string(reason)
        case .released(let wiped): (object["event"], object["wiped"]) = ("released", .int(Int64(wiped)))
        }
        let line = object.serialized() + [UInt8(ascii: "\n")]
        // A trace that cannot be written must not stop the work; whoever reads it finds less than is in the database and says so.
        _ = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
