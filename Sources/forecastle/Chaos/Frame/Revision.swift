import Foundation
import Glibc

/// Which state of the sources the program was built from, as far as it can be told.
enum Revision {
    /// The variable FORECASTLE_REVISION, else the commit of the repository that the program lies in.
    static let current: String = {
        if let given = ProcessInfo.processInfo.environment["FORECASTLE_REVISION"], !given.isEmpty { return given }
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        guard let git = ChaosNeed.path(of: "git") else { return "unknown" }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: git)
        process.arguments = ["-C", program.deletingLastPathComponent().path, "describe", "--always", "--dirty", "--abbrev=12"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil, let data = try? output.fileHandleForReading.readToEnd() else { return "unknown" }
        process.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? "unknown" : text
    }()
}
