import AWSProtocol
import Catalog
import Jobs
import Postgres

extension ForecastOperation {
    /// `Delete<Word>`: the row goes and the objects are let go of in one transaction; the collector removes the objects
    /// once no reader can be under way any more.
    ///
    /// A resource with children, or with a job at work on it, is in use.
    static func delete(_ shape: ResourceShape) -> ForecastOperation {
        ForecastOperation("Delete\(shape.word)") { input, service in
            let arn = try input.requiredString(shape.arnMember, .forecastARN)
            return OperationPlan(resource: arn, named: arn) { _ in
                try await service.pool.transaction { connection in
                    guard let resource = try await Catalog.lock(arn, on: connection), resource.type == shape.type else {
                        throw AWSError.resourceNotFound(arn)
                    }
                    guard resource.status.isDeletable else {
                        throw AWSError.resourceInUse("\(arn) can't be deleted while it is \(resource.status.rawValue).")
                    }
                    guard try await !Catalog.hasChildren(arn, on: connection) else {
                        throw AWSError.resourceInUse("\(arn) has resources that were made from it; delete those first.")
                    }
                    if let job = resource.job {
                        try await service.engine.releaseObjects(of: JobID(rawValue: job), on: connection)
                    }
                    try await Catalog.remove(arn, incarnation: resource.incarnation, on: connection)
                }
                return [:]
            }
        }
    }
}
