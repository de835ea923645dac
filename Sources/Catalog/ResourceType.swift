/// Kinds of resources of the Forecast API, spelled as in their ARNs.
package enum ResourceType: String, Sendable, CaseIterable {
    case dataset = "dataset"
    case datasetGroup = "dataset-group"
    case datasetImportJob = "dataset-import-job"
    case predictor = "predictor"
    case predictorBacktestExportJob = "predictor-backtest-export-job"
    case forecast = "forecast"
    case forecastExportJob = "forecast-export-job"

    /// Whether a job makes it, so that it can be stopped and has an artifact or files.
    package var isMadeByAJob: Bool {
        switch self {
        case .dataset, .datasetGroup: false
        default: true
        }
    }
}

/// States of a resource, as `Status` shows them.
package enum ResourceStatus: String, Sendable, CaseIterable {
    case createPending = "CREATE_PENDING"
    case createInProgress = "CREATE_IN_PROGRESS"
    case active = "ACTIVE"
    case createFailed = "CREATE_FAILED"
    case createStopping = "CREATE_STOPPING"
    case createStopped = "CREATE_STOPPED"
    case updatePending = "UPDATE_PENDING"
    case updateInProgress = "UPDATE_IN_PROGRESS"
    case updateFailed = "UPDATE_FAILED"
    case deletePending = "DELETE_PENDING"
    case deleteInProgress = "DELETE_IN_PROGRESS"
    case deleteFailed = "DELETE_FAILED"

    /// A job is at work on it: `LastModificationTime` is the time of the call.
    package var isInProgress: Bool {
        switch self {
        case .createInProgress, .createStopping, .updateInProgress, .deleteInProgress: true
        default: false
        }
    }

    /// Deletion may begin.
    package var isDeletable: Bool {
        switch self {
        case .active, .createFailed, .createStopped, .updateFailed, .deleteFailed: true
        default: false
        }
    }
}
