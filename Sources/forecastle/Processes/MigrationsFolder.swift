import Foundation

/// Where the numbered SQL files are: `migrations.directory`, else `migrations` beside the executable or in a folder above it.
enum MigrationsFolder {
    static func find(_ values: ConfigurationValues) throws -> String {
        let given = values.string("migrations.directory")
        if !given.isEmpty { return given }
        var folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        while folder.path != "/" {
            let candidate = folder.appending(path: "migrations")
            if FileManager.default.fileExists(atPath: candidate.appending(path: "jobs").path) { return candidate.path }
            folder.deleteLastPathComponent()
        }
        throw ConfigurationError(
            key: "migrations.directory", rule: "must be set: no migrations folder is beside the executable or above it")
    }
}
