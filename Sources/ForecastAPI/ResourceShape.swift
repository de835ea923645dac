import AWSProtocol
import Catalog
import FoundationEssentials

/// How one type of resource looks in the API: the names of its members, its filters, its summaries.
struct ResourceShape: Sendable {
    var type: ResourceType
    /// `DatasetImportJob` in `DatasetImportJobArn`, `DescribeDatasetImportJob`.
    var word: String
    /// Result member of the list operation.
    var listMember: String
    /// Members of the request that a summary repeats.
    var summaryMembers: [String]
    /// Whether summaries show the status; those of datasets and groups do not.
    var summaryHasStatus = true
    var filters: [String: Catalog.Condition.Field] = [:]

    var arnMember: String { "\(word)Arn" }
    var nameMember: String { "\(word)Name" }

    /// Members of the stored request that Describe does not show.
    private static let hidden: Set<String> = ["Tags"]

    func description(of resource: Resource, now: Date) -> JSONObject {
        var answer: JSONObject = [arnMember: .string(resource.arn), nameMember: .string(resource.name)]
        for (member, value) in resource.request where !Self.hidden.contains(member) { answer[member] = value }
        for (member, value) in resource.attributes { answer[member] = value }
        appendState(of: resource, to: &answer, now: now)
        return answer
    }

    func summary(of resource: Resource, now: Date) -> JSONObject {
        var answer: JSONObject = [arnMember: .string(resource.arn), nameMember: .string(resource.name)]
        for member in summaryMembers {
            answer.append(member, ifPresent: resource.request[member] ?? resource.attributes[member])
        }
        appendState(of: resource, to: &answer, now: now)
        if !summaryHasStatus { answer["Status"] = nil }
        return answer
    }

    /// `LastModificationTime` is the time of the call while a job is at work.
    private func appendState(of resource: Resource, to answer: inout JSONObject, now: Date) {
        answer["Status"] = .string(resource.status.rawValue)
        answer.append("Message", ifPresent: resource.message.map { .string($0) })
        answer["CreationTime"] = .timestamp(resource.createdAt)
        answer["LastModificationTime"] = .timestamp(resource.status.isInProgress ? now : resource.modifiedAt)
    }
}

extension JSONValue {
    /// Seconds since 1970 to the millisecond, as AWS's services write them.
    static func timestamp(_ date: Date) -> JSONValue {
        .double((date.timeIntervalSince1970 * 1000).rounded() / 1000)
    }
}

extension ResourceShape {
    static let dataset = ResourceShape(
        type: .dataset, word: "Dataset", listMember: "Datasets", summaryMembers: ["DatasetType", "Domain"],
        summaryHasStatus: false)
    static let datasetGroup = ResourceShape(
        type: .datasetGroup, word: "DatasetGroup", listMember: "DatasetGroups", summaryMembers: [], summaryHasStatus: false)
    static let datasetImportJob = ResourceShape(
        type: .datasetImportJob, word: "DatasetImportJob", listMember: "DatasetImportJobs",
        summaryMembers: ["DataSource", "ImportMode"], filters: ["DatasetArn": .parentARN, "Status": .status])
    static let predictor = ResourceShape(
        type: .predictor, word: "Predictor", listMember: "Predictors", summaryMembers: ["DatasetGroupArn", "IsAutoPredictor"],
        filters: ["DatasetGroupArn": .parentARN, "Status": .status])
    static let backtestExport = ResourceShape(
        type: .predictorBacktestExportJob, word: "PredictorBacktestExportJob", listMember: "PredictorBacktestExportJobs",
        summaryMembers: ["Destination"], filters: ["PredictorArn": .parentARN, "Status": .status])
    static let forecast = ResourceShape(
        type: .forecast, word: "Forecast", listMember: "Forecasts",
        summaryMembers: ["PredictorArn", "CreatedUsingAutoPredictor", "DatasetGroupArn"],
        filters: ["DatasetGroupArn": .datasetGroupARN, "PredictorArn": .parentARN, "Status": .status])
    static let forecastExport = ResourceShape(
        type: .forecastExportJob, word: "ForecastExportJob", listMember: "ForecastExportJobs",
        summaryMembers: ["Destination"], filters: ["ForecastArn": .parentARN, "Status": .status])
}
