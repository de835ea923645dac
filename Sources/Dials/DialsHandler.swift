package import AWSProtocol
package import AWSServer
import Synchronization
package import Telemetry

/// `GET /readyz` and `GET /metrics`; `/healthz` is the server's own. Nothing else, and nothing that has a body.
package struct DialsHandler: AWSRequestHandler {
    /// Rendering is work: the text is made at most so often.
    package static let textKeptFor: Duration = .seconds(1)
    package static let metricsContentType = "text/plain; version=0.0.4; charset=utf-8"

    private final class Rendered: Sendable {
        let last = Mutex<(text: [UInt8], at: ContinuousClock.Instant)?>(nil)
    }

    private let readiness: Readiness
    private let registry: MetricsRegistry
    private let textKeptFor: Duration
    private let rendered = Rendered()

    package init(
        readiness: Readiness, registry: MetricsRegistry, textKeptFor: Duration = DialsHandler.textKeptFor
    ) {
        self.readiness = readiness
        self.registry = registry
        self.textKeptFor = textKeptFor
    }

    package func respond(to request: AWSRequest, requestID: String) async -> AWSResponse {
        guard request.method == "GET", request.rawQuery.isEmpty else { return Self.text(405, "only GET is answered here\n") }
        switch request.path {
        case "/readyz":
            let report = await readiness.report()
            return AWSResponse(
                status: report.isReady ? 200 : 503, headers: [("Cache-Control", "no-store")],
                body: .bytes(report.json.serialized() + [0x0A]), contentType: "application/json")
        case "/metrics":
            // Scrapes are what keeps `dependencyUp` true.
            _ = await readiness.report()
            return AWSResponse(body: .bytes(metrics()), contentType: Self.metricsContentType)
        default:
            return Self.text(404, "there is /healthz, /readyz and /metrics\n")
        }
    }

    /// Under the lock, so that many who ask at once wait for one rendering.
    private func metrics() -> [UInt8] {
        rendered.last.withLock { last in
            if let last, ContinuousClock.now - last.at < textKeptFor { return last.text }
            let text = Array(registry.prometheusText().utf8)
            last = (text, .now)
            return text
        }
    }

    private static func text(_ status: Int, _ text: String) -> AWSResponse {
        AWSResponse(status: status, body: .bytes(Array(text.utf8)), contentType: "text/plain")
    }
}
