import AWSProtocol
import Catalog
import Jobs
import Postgres

extension ForecastOperation {
    /// `StopResource`: asks the job to stop. One whose grants are being retired already becomes ACTIVE all the same.
    static let stop = ForecastOperation("StopResource") { input, service in
        let arn = try input.requiredString("ResourceArn", .forecastARN)
        return OperationPlan(resource: arn, named: arn) { _ in
            guard let resource = try await service.catalog.find(arn) else { throw AWSError.resourceNotFound(arn) }
            guard resource.type.isMadeByAJob, let job = resource.job else {
                throw AWSError.invalidInput(
                    "ResourceArn: \(resource.type.rawValue) is not a kind of resource that can be stopped.")
            }
            switch resource.status {
            case .createPending, .createInProgress:
                try await service.engine.stop(JobID(rawValue: job)) { outcome, connection in
                    let status: ResourceStatus
                    switch outcome {
                    case .stopped: status = .createStopped
                    case .stopping: status = .createStopping
                    case .decided, .ended: return
                    }
                    try await Catalog.move(
                        arn, incarnation: resource.incarnation, from: [.createPending, .createInProgress], to: status,
                        on: connection)
                }
            case .createStopping:
                break
            default:
                throw AWSError.invalidInput(
                    "ResourceArn: \(arn) is \(resource.status.rawValue); only a job that runs can be stopped.")
            }
            return [:]
        }
    }
}
