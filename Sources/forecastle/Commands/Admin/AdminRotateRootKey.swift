import ArgumentParser
import Foundation
import Keys

/// `forecastle admin rotate-root-key`
struct AdminRotateRootKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-root-key", abstract: "Replace the vault's root key while the authority serves.",
        discussion: """
            Makes a new version beside the old one, seals everything anew under it and retires the old one. A run that was cut
            short is simply repeated. With several hosts run it with --prepare first, bring the new file to each host, then run
            it again without. A mounted secret is added by whoever mounts it, under the same name with .2, .3…
            """)
    @OptionGroup var options: AdminOptions
    @Flag(help: "Make the new version and stop before it is used.") var prepare = false
    @Flag(help: "Remove the retired version's file; backups of the database from before cannot be opened then.")
    var destroyOld = false

    func run() async throws {
        try await options.withVault { authority in
            try await authority.security.admit()
            let rotation = RootKeyRotation(
                guard: authority.security, trail: try await authority.openTrail(), identity: authority.identity)
            if prepare {
                let version = try await rotation.prepare()
                var listing = AdminListing("Version", "State")
                listing.add("\(version)", "prepared")
                listing.show(json: options.json)
                return
            }
            let outcome = try await rotation.run(
                settle: { try await Task.sleep(for: RootKeyRotation.settles) },
                progress: { if isatty(STDERR_FILENO) != 0 { FileHandle.standardError.write(Data("\r\($0) sealed anew".utf8)) } })
            if isatty(STDERR_FILENO) != 0 { FileHandle.standardError.write(Data("\n".utf8)) }
            try await authority.security.note()
            if destroyOld {
                for version in outcome.retired { try await rotation.destroySource(of: version) }
            }
            var listing = AdminListing("Version", "Resealed", "Dead", "Retired", "OldFiles")
            listing.add(
                "\(outcome.version)", "\(outcome.resealed)", "\(outcome.dead)",
                outcome.retired.map { "\($0)" }.joined(separator: " "), destroyOld ? "removed" : "kept")
            listing.show(json: options.json)
        }
    }
}
