import ArgumentParser
import Foundation
import Keys

/// `forecastle admin vault show|repair`
struct AdminVault: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vault", abstract: "Replicas of the vault.", subcommands: [Show.self, Repair.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the replicas and what they have noted; needs no root key and no database.")
        @OptionGroup var configuration: ConfigurationOptions
        @Flag(help: "Write JSON instead of a table.") var json = false

        func run() async throws {
            let directories = try VaultSettings.directories(try configuration.load())
            var listing = AdminListing(
                "Replica", "Directory", "State", "Secrets", "Tombstones", "Incarnation", "Epoch", "Records")
            for report in try await Vault.inspect(directories) {
                let noted = report.noted
                listing.add(
                    report.number.map { "\($0)" } ?? "–", report.directory, report.state.rawValue, "\(report.secrets)",
                    "\(report.tombstones)", noted.map { "\($0.incarnation)" } ?? "–", noted.map { "\($0.epoch)" } ?? "–",
                    noted.map { "\($0.records)" } ?? "–")
            }
            listing.show(json: json)
        }
    }

    struct Repair: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring the replicas that are there to the same state.",
            discussion: "Copies secrets that a replica lacks and destroys what any replica has a tombstone of.")
        @OptionGroup var options: AdminOptions
        @Flag(help: "Make directories that are no replica yet replicas of this vault.") var add = false

        func run() async throws {
            try await options.withVault { authority in
                let repair = try await authority.vault.repair(adding: add)
                try await authority.security.admit()
                var listing = AdminListing("Added", "Copied", "Buried", "Destroyed")
                listing.add("\(repair.added)", "\(repair.copied)", "\(repair.buried)", "\(repair.destroyed)")
                listing.show(json: options.json)
            }
        }
    }
}
