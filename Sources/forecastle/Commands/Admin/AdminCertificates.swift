import AWSProtocol
import ArgumentParser
import Certificates
import Foundation

/// `forecastle admin certificates authority|issue|renew|show`: the installation's own certificate authority, in a folder.
struct AdminCertificates: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificates", abstract: "Make, renew and show the certificates of the installation's processes.",
        discussion: "Needs no database. Processes read their files again when these change; docs/tls.md says who needs which.",
        subcommands: [Authority.self, Issue.self, Renew.self, Show.self])

    struct FolderOption: ParsableArguments {
        @Option(help: "Folder with the authority (ca.pem, ca.key) and what it issued (NAME.pem, NAME.key).")
        var directory: String

        var folder: CertificateFolder { CertificateFolder(directory) }
    }

    struct Authority: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the certificate authority.",
            discussion: """
                With --replace a new one takes over: ca.pem then holds both, so that certificates of the former one stay good. Give the \
                new ca.pem to every process, then renew; then take the former certificate out of ca.pem.
                """)
        @OptionGroup var location: FolderOption
        @Flag(help: "Put a new authority in the place of the one that is there.") var replace = false

        func run() async throws {
            try await CommandFailure.certificates {
                try location.folder.makeAuthority(replacing: replace, now: Date())
                print("\(location.folder.authority)\n\(location.folder.authorityKey)")
            }
        }
    }

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Issue a certificate, in place of one of the same name.",
            discussion:
                "ROLE is api, worker, authority, postgres, broker, operator or another; it is what the process is known by.")
        @Argument(help: "Role of the process: small letters, digits and hyphens.") var role: String
        @OptionGroup var location: FolderOption
        @Option(help: "Name of DNS or address by which others reach it; once for each.") var name: [String] = []
        @Option(help: "Name of the files, where it is not the role.") var file: String?
        @Option(help: "How long it holds, in days.") var days = CertificateAuthority.defaultLifeDays

        func run() async throws {
            try await CommandFailure.certificates {
                guard let identity = ProcessIdentity(role: role) else {
                    throw CertificatesError(.input, "\"\(role)\" can't be a role: small letters, digits and hyphens")
                }
                let folder = location.folder
                try folder.issue(
                    identity, as: file, names: try name.map { try CertificateName($0) }, days: days, now: Date())
                print("\(folder.certificate(file ?? role))\n\(folder.key(file ?? role))")
            }
        }
    }

    struct Renew: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Issue again what has less than a third of its life left, or is of a former authority.",
            discussion: "Names and life stay; keys are new. Run it daily: it does nothing while nothing is due.")
        @OptionGroup var location: FolderOption
        @Flag(help: "Renew every certificate.") var all = false

        func run() async throws {
            try await CommandFailure.certificates {
                for name in try location.folder.renew(all: all, now: Date()) { print(location.folder.certificate(name)) }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show certificates and when they expire.")
        @OptionGroup var location: FolderOption
        @Flag(help: "Write JSON instead of a table.") var json = false

        func run() async throws {
            try await CommandFailure.certificates {
                let now = Date()
                var listing = AdminListing("File", "Identity", "Names", "Issuer", "Expires", "DaysLeft")
                for entry in try location.folder.entries() {
                    let facts = entry.facts
                    listing.add(
                        entry.path, facts.identity?.uri ?? "–", facts.names.map(\.description).joined(separator: " "),
                        facts.issuer, facts.notAfter.formatted(.iso8601),
                        "\(Int(facts.daysLeft(at: now).rounded(.down)))")
                }
                listing.show(json: json)
            }
        }
    }
}

extension CommandFailure {
    /// What goes wrong with certificates, as a line on standard error.
    fileprivate static func certificates(_ body: () async throws -> Void) async throws {
        try await reporting {
            do { try await body() } catch let error as CertificatesError { throw CommandFailure(error.message, .failure) }
        }
    }
}
