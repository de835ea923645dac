import ArgumentParser
import Foundation

/// `--config FILE` and, through `ConfigurationFlags`, a flag for every setting.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .long, help: "Configuration file (YAML); config/forecastle.yaml lists every key with its default.")
    var config: String?

    /// The settings in effect for this command.
    ///
    /// - Parameter flags: what the command's own flags say; they win.
    func load(flags: [String: String] = [:]) throws -> ConfigurationValues {
        let environment = ProcessInfo.processInfo.environment
        return try ConfigurationValues(
            file: config ?? environment["FORECASTLE_CONFIG"], environment: environment,
            flags: Forecastle.flags.values.merging(flags) { $1 })
    }
}
