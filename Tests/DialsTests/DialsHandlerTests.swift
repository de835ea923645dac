import AWSProtocol
import AWSServer
import CoreMetrics
import Dials
import Foundation
import Telemetry
import Testing

struct DialsHandlerTests {
    private func answers(
        to paths: [String], method: String = "GET", checks: [DependencyCheck] = []
    ) async -> [(status: Int, type: String, text: String)] {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "forecastle_chunks", dimensions: [("kind", "import")]).increment(by: 3)
        let readiness = Readiness(process: "api", checks: checks)
        let handler = DialsHandler(readiness: readiness, registry: registry)
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { await readiness.run() }
            var answers: [(Int, String, String)] = []
            for path in paths {
                let parts = path.split(separator: "?").map(String.init)
                let answer = await handler.respond(
                    to: AWSRequest(method: method, path: parts[0], rawQuery: parts.count > 1 ? parts[1] : "", receivedAt: Date()),
                    requestID: "r")
                guard case .bytes(let bytes) = answer.body else { continue }
                answers.append((answer.status, answer.contentType, String(decoding: bytes, as: UTF8.self)))
            }
            group.cancelAll()
            return answers
        }
    }

    @Test func metricsAreTextOfPrometheus() async {
        let answer = await answers(to: ["/metrics"])[0]
        #expect(answer.status == 200 && answer.type.hasPrefix("text/plain; version=0.0.4"))
        #expect(answer.text.contains("# TYPE forecastle_chunks_total counter\nforecastle_chunks_total{kind=\"import\"} 3\n"))
    }

    @Test func readinessAnswers503WhereSomethingIsAway() async {
        struct Away: Error {}
        #expect(await answers(to: ["/readyz"])[0].status == 200)
        #expect(await answers(to: ["/readyz"], checks: [DependencyCheck("kafka") { throw Away() }])[0].status == 503)
    }

    @Test func nothingElseIsAnswered() async {
        #expect(await answers(to: ["/", "/metrics/", "/metrics?name=x", "/env"]).map(\.status) == [404, 404, 405, 404])
        #expect(await answers(to: ["/metrics"], method: "POST").map(\.status) == [405])
    }
}
