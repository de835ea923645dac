import Foundation
import Logging
import Synchronization
import Telemetry
import Testing

struct LineLogHandlerTests {
    private final class Lines: Sendable {
        private let all = Mutex<[String]>([])
        var lines: [String] { all.withLock { $0 } }
        func add(_ line: String) { all.withLock { $0.append(line) } }
    }

    /// The lines that `body` logs.
    private func lines(_ format: LineLogHandler.Format, _ body: (Logger) async -> Void) async -> [String] {
        let lines = Lines()
        await body(Logger(label: "test") { LineLogHandler(label: $0, format: format, write: { lines.add($0) }) })
        return lines.lines
    }

    private func object(_ line: String) throws -> [String: String] {
        try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
    }

    @Test func aJSONLineHoldsLevelMessageAndFields() async throws {
        let lines = await lines(.json) { $0.info("a task is done", metadata: ["job": "j-1", "seconds": "0.5"]) }
        let line = try object(try #require(lines.first))
        #expect(line["level"] == "info" && line["logger"] == "test" && line["message"] == "a task is done")
        #expect(line["job"] == "j-1" && line["seconds"] == "0.5")
        #expect(line["time"]?.hasSuffix("Z") == true)
    }

    @Test(arguments: [LineLogHandler.Format.text, .json])
    func oneEventIsOneLineWhateverItHolds(format: LineLogHandler.Format) async throws {
        let evil = "one\ntwo\r\u{2028}three\u{85}\u{1B}[2J\"\\\u{0}"
        let lines = await lines(format) { $0.warning("\(evil)", metadata: ["error": "\(evil)", "k\ney": "v"]) }
        let line = try #require(lines.first)
        #expect(lines.count == 1)
        let controls = line.unicodeScalars.filter { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0 == "\u{2028}" }
        #expect(controls.map(\.value) == [0x0A] && line.hasSuffix("\n"))
        if format == .json { #expect(try object(line)["error"] == evil) }
    }

    @Test(arguments: [(4095, 4095), (4096, 4096), (4097, 4096)])
    func aFieldIsNoLongerThanItsBound(written: Int, kept: Int) async throws {
        let lines = await lines(.json) { $0.info("m", metadata: ["error": "\(String(repeating: "x", count: written))"]) }
        let line = try #require(lines.first)
        let error = try #require(try object(line)["error"])
        #expect(error.utf8.filter { $0 == UInt8(ascii: "x") }.count == kept)
        #expect(error.hasSuffix("…") == (written > kept))
    }

    @Test func aLineHasNoMoreFieldsThanItsBound() async throws {
        let many = Dictionary(uniqueKeysWithValues: (0..<200).map { ("field\($0)", Logger.MetadataValue.string("v")) })
        let lines = await lines(.json) { $0.info("m", metadata: many) }
        let line = try #require(lines.first)
        #expect(try object(line).count == LineLogHandler.fields + 4)
    }

    @Test(arguments: ["Authorization", "password", "grant_token", "x-amz-security-token"])
    func aFieldThatIsNamedAfterASecretIsNotWritten(name: String) async throws {
        let lines = await lines(.json) { $0.info("m", metadata: [name: "hunter2"]) }
        let line = try #require(lines.first)
        #expect(!line.contains("hunter2") && line.contains("<redacted>"))
    }

    @Test func aFieldCannotTakeThePlaceOfTheLinesOwn() async throws {
        let lines = await lines(.json) { $0.info("true", metadata: ["message": "false", "level": "critical"]) }
        let line = try object(try #require(lines.first))
        #expect(line["message"] == "true" && line["level"] == "info" && line["field_message"] == "false")
    }

    @Test func linesCarryWhatTheWorkIsAbout() async throws {
        let trace = try #require(TraceContext("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
        let lines = await lines(.json) { logger in
            await LogScope(job: "j", task: "t", attempt: 2, kind: "import").run(trace: trace) {
                await withTaskGroup(of: Void.self) { $0.addTask { logger.info("inside") } }
                logger.info("own", metadata: ["job": "another"])
            }
            logger.info("outside")
        }
        let inside = try object(lines[0])
        #expect(inside["job"] == "j" && inside["task"] == "t" && inside["attempt"] == "2" && inside["kind"] == "import")
        #expect(inside["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736" && inside["span_id"] == "00f067aa0ba902b7")
        #expect(try object(lines[1])["job"] == "another")
        #expect(try object(lines[2]).keys.allSatisfy { $0 != "job" && $0 != "trace_id" })
    }

    @Test func aStepIsToldWhereTheTraceIsSampled() async throws {
        let sampled = try #require(TraceContext("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
        #expect(LogScope.stepLevel == .debug)
        #expect(await LogScope().run(trace: TraceContext()) { LogScope.stepLevel } == .debug)
        #expect(await LogScope().run(trace: sampled) { LogScope.stepLevel } == .info)
    }
}
