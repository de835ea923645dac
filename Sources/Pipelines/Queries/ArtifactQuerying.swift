package import AWSProtocol

/// What the API reads out of artifacts, each through a reading grant of its own process.
///
/// Throws `AWSError` AccessDeniedException where the key can't be used.
package protocol ArtifactQuerying: Sendable {
    /// `FieldStatistics` (attribute → statistics) and `DataSize` in GB of an import.
    func importStatistics(_ artifact: ArtifactInput, account: String) async throws -> (fields: JSONObject, gigabytes: Double)

    /// `PredictorEvaluationResults` of GetAccuracyMetrics.
    func evaluationResults(_ artifact: ArtifactInput, account: String) async throws -> [JSONValue]

    /// `Predictions` of QueryForecast: `p10` → [{Timestamp, Value}], for the one series that all filters single out.
    ///
    /// - Parameters:
    ///   - filters: attribute → value; an item id and, where the series have them, dimensions.
    ///   - start: first timestamp, seconds since 1970, inclusive; nil for the forecast's own.
    ///   - end: last timestamp, inclusive.
    func predictions(
        _ artifact: ArtifactInput, account: String, filters: [String: String], start: Int64?, end: Int64?
    ) async throws -> JSONObject
}
