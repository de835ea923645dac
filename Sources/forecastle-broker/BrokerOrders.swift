import Foundation
import Glibc
import Kafka

/// Orders of faults, one a line, from a named pipe that the broker's user alone can write. Each is printed once it is carried
/// out, or with what is wrong with it.
struct BrokerOrders {
    let pipe: String

    /// Reads on a thread of its own for as long as the process lives.
    func take(for broker: EmbeddedBroker) throws {
        unlink(pipe)
        guard mkfifo(pipe, 0o600) == 0 else { throw Failure("\(pipe) cannot be made: \(String(cString: strerror(errno)))") }
        // For reading and writing: it never ends because a writer went away.
        let descriptor = open(pipe, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure("\(pipe) cannot be opened: \(String(cString: strerror(errno)))") }
        let thread = Thread {
            var rest = ""
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                guard count > 0 else { continue }
                rest += String(decoding: buffer[..<count], as: UTF8.self)
                while let end = rest.firstIndex(of: "\n") {
                    let line = String(rest[..<end])
                    rest = String(rest[rest.index(after: end)...])
                    do {
                        try FaultOrder(line).carryOut(at: broker)
                        print("order done: \(line)")
                    } catch {
                        print("order refused: \(line): \(error)")
                    }
                    fflush(nil)
                }
            }
        }
        thread.name = "orders"
        thread.start()
    }
}
