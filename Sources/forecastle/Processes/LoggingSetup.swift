import Logging
import Telemetry

/// Logs go to standard error, one line each; `log.level` sets the lowest level, `log.format` what a line looks like.
enum LoggingSetup {
    static func start(_ values: ConfigurationValues) {
        let level = Logger.Level(rawValue: values.string("log.level")) ?? .info
        let format = LineLogHandler.Format(rawValue: values.string("log.format")) ?? .text
        LoggingSystem.bootstrap(
            { label, provider in
                var handler = LineLogHandler(label: label, format: format, metadataProvider: provider)
                handler.logLevel = level
                return handler
            }, metadataProvider: LogScope.provider)
    }
}
