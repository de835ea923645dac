import ArgumentParser
import Foundation

/// `--config FILE` and, through `ConfigurationFlags`, a flag for every setting.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .long, help: "Configuration file (YAML); config/forecastle.yaml lists every key with its default.")
    var config: String?

    /// The settings in effect for this command.
    func load() throws -> ConfigurationValues {
        let environment = ProcessInfo.processInfo.environment
        return try ConfigurationValues(
            file: config ?? environment["FORECASTLE_CONFIG"], environment: environment, flags: Forecastle.flags.values)
    }
}
