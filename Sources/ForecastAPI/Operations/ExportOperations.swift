import AWSProtocol
import Catalog
import Forecasting
import FoundationEssentials
import Jobs
import Pipelines

extension ForecastOperation {
    /// `CreatePredictorBacktestExportJob`: backtest forecasts and metrics per item as CSV in the customer's bucket.
    static let createBacktestExport = export(
        .backtestExport, of: .predictor, parentMember: "PredictorArn", kind: .backtestExport,
        folders: [ExportLayout.backtestFolders.values, ExportLayout.backtestFolders.metrics])

    /// `CreateForecastExportJob`: a forecast as CSV in the customer's bucket.
    static let createForecastExport = export(
        .forecastExport, of: .forecast, parentMember: "ForecastArn", kind: .forecastExport, folders: [""])

    private static func export(
        _ shape: ResourceShape, of parentType: ResourceType, parentMember: String, kind: JobKind,
        folders: [String]
    ) -> ForecastOperation {
        ForecastOperation("Create\(shape.word)") { input, service in
            let name = try input.requiredString(shape.nameMember, .name)
            let parentARN = try input.requiredString(parentMember, .forecastARN)
            let destination = try S3ConfigInput(in: input, member: "Destination")
            let format = try input.optionalString("Format", length: 1...7) ?? "CSV"
            guard format == "CSV" else { throw AWSError.invalidInput("Format: this version exports CSV only.") }
            var request: JSONObject = [
                parentMember: .string(parentARN), "Destination": .object(destination.request), "Format": .string(format),
            ]
            request.append("Tags", ifPresent: try input.tags())
            let parent = try await service.catalog.find(parentARN)
            // A file as the first will be called, but for the time.
            let file = ExportFormat.fileName(name, startedAt: Int64(Date().timeIntervalSince1970), part: 0)
            let ending = destination.location.keyARN == nil ? "" : ExportLayout.sealedEnding
            var questions = destination.questions(.write(folders.map { $0 + file + ending }))
            if let key = parent?.encryption?.keyARN { questions += OperationPlan.Question.useKey(key) }

            return OperationPlan(
                resource: parentARN, named: parentARN, questions: questions
            ) { [request] caller in
                guard let parent, parent.type == parentType else { throw AWSError.resourceNotFound(parentARN) }
                // Made of the parent's ARN, so that the last part of a predictor's, which has a suffix, tells it from its namesakes.
                let path = "\(ARN(parent.arn)?.resourceName ?? parent.name)/\(name)"
                let arn = service.arn(shape.type, path, account: caller.account)
                try await service.requireFree(shape.type, arn)
                try parent.requireActive("to be exported")
                try service.checkOwner(of: destination.bucket, caller: caller, member: "Destination")
                var resource = Resource(
                    arn: arn, account: caller.account, type: shape.type, name: name, incarnation: UUID(),
                    status: .createPending, parentARN: parent.arn, request: request, job: UUID())
                try await service.keys.check(parent.encryption, for: resource, reading: true, caller: caller)
                var output: ArtifactKey?
                if let key = destination.location.keyARN {
                    resource.encryption = Resource.Encryption(keyARN: key, roleARN: destination.location.roleARN)
                    output = try await service.outputKey(of: resource, caller: caller)
                } else {
                    try await service.keys.checkRole(destination.location.roleARN, for: resource, caller: caller)
                }
                guard let artifact = try await service.artifact(of: parent) else {
                    throw AWSError.resourceInUse("\(parentARN) has no artifact.")
                }
                let now = try await service.catalog.now()
                let document = ExportDocument(
                    source: artifact, name: name, destination: destination.location,
                    acceptedAt: Int64(now.timeIntervalSince1970), output: output)
                try await service.accept(resource, kind: kind, document: document, caller: caller)
                return [shape.arnMember: .string(resource.arn)]
            }
        }
    }
}
