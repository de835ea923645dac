import AWSProtocol
import Catalog
import Forecasting
import Pipelines
import TimeSeries

/// What CreateAutoPredictor and CreatePredictor come down to.
struct TrainingInput: Sendable {
    enum OptimizationMetric: String, CaseIterable { case WAPE, RMSE, AverageWeightedQuantileLoss, MASE, MAPE }

    static let horizonMax = 500
    static let backtestWindowsMax = 5

    var datasetGroup: String
    var frequency: String
    var horizon: Int
    var forecastTypes: [String]
    var dimensions: [String]
    var alignment: TrainDocument.Alignment?
    /// Attribute whose settings these are; nil where none were given.
    var transformedAttribute: String?
    var transformations: [String: String]
    var optimizationMetric: String
    var backtestWindows = 1
    var backtestOffset: Int
    /// How long the horizon may be beside the data; the worker, which knows them, holds it against them.
    var horizonRule = PredictorSettings.HorizonRule.autoPredictor

    /// The target dataset of the group and its imports in effect.
    struct Source: Sendable {
        var dataset: Resource
        var imports: [Resource]
        var layout: DatasetLayout
    }

    /// Reads the group before the caller is known; nil where there is no such group.
    func group(_ service: ForecastService) async throws -> Resource? {
        guard let group = try await service.catalog.find(datasetGroup), group.type == .datasetGroup else { return nil }
        return group
    }

    func source(of group: Resource?, caller: Caller, _ service: ForecastService) async throws -> Source {
        guard let group, group.account == caller.account else { throw AWSError.resourceNotFound(datasetGroup) }
        try group.requireActive("to train on")
        for arn in group.datasetARNs {
            let dataset = try await service.find(arn, .dataset)
            guard dataset.request["DatasetType"]?.stringValue == DatasetType.targetTimeSeries.rawValue else { continue }
            let imports = try await service.importsInEffect(of: dataset)
            guard !imports.isEmpty else {
                throw AWSError.invalidInput("DatasetGroupArn: \(arn) has no ACTIVE dataset import job to train on.")
            }
            let schema = try SchemaInput(stored: dataset)
            guard let domain = Domain(rawValue: dataset.request["Domain"]?.stringValue ?? "") else {
                throw AWSError.invalidInput("DatasetGroupArn: \(arn) has a domain that this version does not know.")
            }
            let layout = try schema.check(domain: domain, type: .targetTimeSeries)
            try check(layout, dataset)
            return Source(dataset: dataset, imports: imports, layout: layout)
        }
        throw AWSError.invalidInput("DatasetGroupArn: the group has no TARGET_TIME_SERIES dataset.")
    }

    private func check(_ layout: DatasetLayout, _ dataset: Resource) throws {
        let known = Set(layout.dimensionColumns.map { layout.schema.attributes[$0].name })
        for dimension in dimensions where !known.contains(dimension) {
            throw AWSError.invalidInput("ForecastDimensions: \(dimension) is no dimension of the target dataset.")
        }
        let target = layout.targetColumn.map { layout.schema.attributes[$0].name }
        if let transformedAttribute, transformedAttribute != target {
            throw AWSError.invalidInput("AttributeName: only the target, \(target ?? ""), can be transformed.")
        }
        if let given = dataset.request["DataFrequency"]?.stringValue, let data = try? Frequency(parsing: given),
            let forecast = try? Frequency(parsing: frequency), !forecast.isAtLeast(data)
        {
            throw AWSError.invalidInput("ForecastFrequency: must not be finer than the dataset's frequency, \(given).")
        }
    }

    func document(
        source: Source, inputs: [ArtifactInput], output: ArtifactKey
    ) throws -> TrainDocument {
        TrainDocument(
            inputs: inputs, domain: source.layout.domain.rawValue, schema: try SchemaInput(stored: source.dataset).attributes,
            dataFrequency: source.dataset.request["DataFrequency"]?.stringValue, forecastFrequency: frequency, horizon: horizon,
            forecastTypes: forecastTypes, dimensions: dimensions, alignment: alignment, transformations: transformations,
            optimizationMetric: optimizationMetric, backtestWindows: backtestWindows, backtestOffset: backtestOffset,
            horizonRule: horizonRule.rawValue, output: output)
    }
}

extension Resource {
    /// Datasets of a group.
    var datasetARNs: [String] { attributes["DatasetArns"]?.arrayValue?.compactMap(\.stringValue) ?? [] }
}

extension ForecastService {
    /// The last FULL import and the INCREMENTAL ones after it, oldest first.
    func importsInEffect(of dataset: Resource) async throws -> [Resource] {
        let imports = try await catalog.children(of: dataset.arn, type: .datasetImportJob, statuses: [.active])
        let lastFull = imports.lastIndex { $0.request["ImportMode"]?.stringValue != "INCREMENTAL" }
        return Array(imports[(lastFull ?? 0)...])
    }
}
