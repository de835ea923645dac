import ArgumentParser
import Foundation

/// Where cases run.
enum ChaosTarget: ExpressibleByArgument, Sendable, Hashable {
    /// Each in a cluster of its own.
    case embedded
    /// In the cluster that was started with this file. What a case makes there (datasets, roles, keys) stays.
    case running(configuration: String)

    init?(argument: String) {
        self = argument == "embedded" ? .embedded : .running(configuration: DataFolder(argument).path)
    }

    var missing: String? {
        guard case .running(let file) = self, !FileManager.default.isReadableFile(atPath: file) else { return nil }
        return "--target is neither embedded nor a configuration file that can be read"
    }
}
