package import AWSProtocol
package import AWSServer
import Catalog
import Jobs
package import Logging
import Postgres
import Telemetry

/// The Forecast and ForecastQuery APIs over HTTP.
///
/// A request is read and planned, then the authority verifies its signature and decides; only then is anything done or
/// told. What is wrong with a request is told after its signature was found to be right.
package struct ForecastHandler: AWSRequestHandler {
    private static let controlPrefix = "AmazonForecast"
    private static let queryPrefix = "AmazonForecastRuntime"
    /// A schema of 100 attributes and a few hundred dataset ARNs.
    private static let limits = JSONLimits(entries: 4000)

    private let service: ForecastService
    private let authorizer: Authorizer
    private let logger: Logger

    package init(service: ForecastService, authorizer: Authorizer, logger: Logger) {
        self.service = service
        self.authorizer = authorizer
        self.logger = logger
    }

    package func respond(to request: AWSRequest, requestID: String) async -> AWSResponse {
        // Not signed, perhaps not even the client's: it goes into the log and on to whoever works for this request.
        let trace = TraceContext(headers: request.headerValues(TraceContext.headerName)) ?? TraceContext()
        return await LogScope(requestID: requestID).run(trace: trace) { await respond(request, requestID: requestID) }
    }

    private func respond(_ request: AWSRequest, requestID: String) async -> AWSResponse {
        let meter = RequestMeter(service: "forecast")
        do {
            let answer = try await answer(request, requestID: requestID, meter)
            meter.answered(logger: logger)
            return .json(answer)
        } catch {
            let known = Self.awsError(error)
            meter.answered(known.code, logger: logger)
            var metadata: Logger.Metadata = [LogField.code: "\(known.code)"]
            if known.status >= 500 {
                metadata["cause"] = "\(String(reflecting: known.cause ?? error))"
                logger.error("request failed", metadata: metadata)
            } else {
                logger.debug("request refused", metadata: metadata)
            }
            return .error(known, messageMember: "Message")
        }
    }

    private func answer(
        _ request: AWSRequest, requestID: String, _ meter: RequestMeter
    ) async throws -> JSONObject {
        let claim = try SignedRequestClaim(parsing: request)
        guard request.method == "POST", request.path == "/", let operation = Self.operation(of: request) else {
            throw AWSError.unknownOperation()
        }
        meter.isOf(service: request.target?.prefix == Self.queryPrefix ? "forecastquery" : "forecast", operation: operation.name)
        let (input, plan, refusal) = await prepare(operation, request)
        let caller = try await authorizer.authorize(
            claim, request: request, requestID: requestID, operation: operation, input: input, plan: plan)
        meter.authenticated()
        do {
            if let refusal { throw refusal }
            guard let plan else { throw AWSError.internalFailure() }
            return try await plan.perform(caller)
        } catch {
            let known = Self.awsError(error)
            // A read that finds nothing changes nothing, and what failed on our side is repeated.
            if !operation.isReadOnly, known.status < 500 {
                do {
                    try await authorizer.record(
                        known, of: claim, request: request, requestID: requestID, operation: operation, input: input, plan: plan)
                } catch {
                    // Whatever kept it out of the trail (a session that ended meanwhile) is not what is wrong with the call.
                    throw AWSError.serviceUnavailable(cause: error)
                }
            }
            throw known
        }
    }

    /// A request that can't be planned is still authenticated before it is told what is wrong with it.
    private func prepare(
        _ operation: ForecastOperation, _ request: AWSRequest
    ) async -> (JSONObject?, OperationPlan?, (any Error)?) {
        var input: JSONObject?
        do {
            let body = try JSONObject.parseBody(request.body, limits: Self.limits)
            input = body
            return (body, try await operation.plan(body, service), nil)
        } catch {
            return (input, nil, error)
        }
    }

    private static func operation(of request: AWSRequest) -> ForecastOperation? {
        guard let target = request.target else { return nil }
        switch target.prefix {
        case controlPrefix: return OperationTable.control[target.operation]
        case queryPrefix: return OperationTable.query[target.operation]
        default: return nil
        }
    }

    /// One table from the errors of the rooms to those of the API. Nothing of what is not listed is told.
    static func awsError(_ error: any Error) -> AWSError {
        switch error {
        // Of a server behind this one: its own words for its faults (KMSInternalException) are no errors of Forecast's.
        case let error as AWSError where error.status >= 500 && error.code != AWSError.internalFailure().code:
            return .serviceUnavailable(cause: error)
        case let error as AWSError:
            return error
        case let error as CatalogError where error.code == .alreadyExists:
            return .resourceAlreadyExists(error.message)
        case let error as CatalogError where error.code == .statusChanged:
            return .resourceInUse(error.message)
        case let error as PostgresError where error.isRetriable:
            return .serviceUnavailable(cause: error)
        default:
            return .internalFailure(cause: error)
        }
    }
}
