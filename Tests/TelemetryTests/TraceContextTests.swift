import Telemetry
import Testing

struct TraceContextTests {
    /// Of the specification, section 3.2.
    private static let example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func theExampleOfTheSpecificationIsReadAndWritten() throws {
        let trace = try #require(TraceContext(Self.example))
        #expect(trace.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(trace.spanID == "00f067aa0ba902b7")
        #expect(trace.isSampled)
        #expect(trace.text == Self.example)
    }

    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        // Another version, or one that must never be.
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        // Something behind.
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 ",
        // Ids of zeros.
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        // Capitals, signs, other characters, other separators.
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01", "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x", "00-4bf92f3577b34da6a3ce929d0e0e4736\n00f067aa0ba902b7-01",
        "00-４bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ])
    func whatIsNotWellFormedIsNoTrace(text: String) {
        #expect(TraceContext(text) == nil)
    }

    @Test func flagsThatAreNotDefinedAreSentOnAsZero() {
        #expect(TraceContext("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff")?.text == Self.example)
        #expect(TraceContext("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe")?.isSampled == false)
    }

    @Test func aChildIsOfTheSameTraceAndHasASpanOfItsOwn() throws {
        let parent = try #require(TraceContext(Self.example))
        let child = parent.child()
        #expect(child.traceID == parent.traceID && child.spanID != parent.spanID && child.isSampled)
        #expect(TraceContext(child.text) == child)
    }

    @Test func aNewTraceIsWellFormedAndNotSampled() {
        let trace = TraceContext()
        #expect(TraceContext(trace.text) == trace && !trace.isSampled)
        #expect(trace.traceID != TraceContext().traceID)
    }

    @Test func ofSeveralHeadersNoneIsTaken() {
        #expect(TraceContext(headers: [Self.example])?.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(TraceContext(headers: [Self.example, Self.example]) == nil)
        #expect(TraceContext(headers: []) == nil)
    }
}
