import Logging

/// Logs go to standard error, one line each; `log.level` sets the lowest level.
enum LoggingSetup {
    static func start(_ values: ConfigurationValues) {
        let level = Logger.Level(rawValue: values.string("log.level")) ?? .info
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
    }
}
