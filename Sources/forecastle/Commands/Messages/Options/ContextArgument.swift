import ArgumentParser
import Envelope

/// Pairs of an encryption context on the command line.
enum ContextArgument {
    /// - Parameter option: the option that the pairs were given with, for the error.
    static func parse(_ pairs: [String], option: String = "--context") throws -> EncryptionContext {
        var context: EncryptionContext = [:]
        for pair in pairs {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ValidationError("\(option) takes name=value, not '\(pair)'.")
            }
            guard context.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw ValidationError("\(option) has the name \(parts[0]) twice.")
            }
        }
        return context
    }
}
