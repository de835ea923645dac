package import Jobs

/// The handlers of all job kinds.
package enum PipelineHandlers {
    package static func all(_ environment: PipelineEnvironment) -> [any JobKindHandler] {
        [
            ImportHandler(environment: environment), TrainHandler(environment: environment),
            ForecastHandler(environment: environment), ExportHandler.backtests(environment: environment),
            ExportHandler.forecasts(environment: environment),
        ]
    }
}
