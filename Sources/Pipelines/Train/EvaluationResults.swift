package import AWSProtocol
package import Forecasting

/// A predictor's metrics as GetAccuracyMetrics answers them: `PredictorEvaluationResults`.
///
/// The SUMMARY, which is the average over the windows, comes first, then each window as COMPUTED, latest first. Quantiles and
/// forecast types go downwards, the mean before them. A metric that is not defined is left out.
package enum EvaluationResults {
    package static func json(_ report: AccuracyReport) -> [JSONValue] {
        let summary = window(report.summary, type: "SUMMARY", hasBounds: false)
        let computed = report.windows.map { window($0, type: "COMPUTED", hasBounds: true) }
        return [["TestWindows": .array([summary] + computed)]]
    }

    private static func window(_ metrics: WindowMetrics, type: String, hasBounds: Bool) -> JSONValue {
        var window: JSONObject = [:]
        if hasBounds {
            window["TestWindowStart"] = .int(metrics.startTime)
            window["TestWindowEnd"] = .int(metrics.endTime)
        }
        window["ItemCount"] = .int(Int64(metrics.itemCount))
        window["EvaluationType"] = .string(type)
        window["Metrics"] = .object(self.metrics(metrics))
        return .object(window)
    }

    private static func metrics(_ metrics: WindowMetrics) -> JSONObject {
        var object: JSONObject = [:]
        object.append("RMSE", ifPresent: metrics.meanErrors.rmse.map { .double($0) })
        object["WeightedQuantileLosses"] = .array(
            metrics.quantileLosses.sorted { $0.type > $1.type }.compactMap { loss in
                guard let probability = loss.type.probability, let value = loss.loss else { return nil }
                return ["Quantile": .double(probability), "LossValue": .double(value)]
            })
        let errors = [metrics.meanErrors] + metrics.errors.filter { $0.type != .mean }.sorted { $0.type > $1.type }
        object["ErrorMetrics"] = .array(errors.map(self.errors))
        object.append("AverageWeightedQuantileLoss", ifPresent: metrics.averageQuantileLoss.map { .double($0) })
        return object
    }

    private static func errors(_ errors: WindowMetrics.PointErrors) -> JSONValue {
        var object: JSONObject = ["ForecastType": .string(errors.type.description)]
        for (name, value) in [("WAPE", errors.wape), ("RMSE", errors.rmse), ("MASE", errors.mase), ("MAPE", errors.mape)] {
            object.append(name, ifPresent: value.map { .double($0) })
        }
        return .object(object)
    }
}
