import ArgumentParser
import Foundation
import Keys

/// `forecastle admin restore`
struct AdminRestore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Accept a database that is older than its vault.",
        discussion: """
            Rights that were withdrawn since the backup would be back. So accepting disables every key, revokes every grant,
            deactivates every access key and ends every session, of customers and of the service alike. People review them
            then: `admin access-key activate` or `create`, and EnableKey by each key's owner. Without --accept it changes nothing,
            and exits with 1 where there is something to accept.
            """)
    @OptionGroup var options: AdminOptions
    @Flag(help: "Do it.") var accept = false

    func run() async throws {
        try await options.withVault { authority in
            let restore = DatabaseRestore(guard: authority.security, identity: authority.identity)
            guard case .behind(let findings) = try await restore.verdict() else {
                show(nil, "nothing to accept: the database is as far as its vault")
                return
            }
            guard accept else {
                for finding in findings { FileHandle.standardError.write(Data("\(finding)\n".utf8)) }
                show(try await restore.preview(), "--accept would withdraw this")
                throw ExitCode.failure
            }
            show(try await restore.accept(openTrail: authority.openTrail), "withdrawn")
        }
    }

    private func show(_ outcome: DatabaseRestore.Outcome?, _ status: String) {
        let outcome = outcome ?? DatabaseRestore.Outcome()
        var listing = AdminListing(
            "Status", "KeysDisabled", "KeysBuried", "GrantsRevoked", "AccessKeysDeactivated", "SessionsEnded")
        listing.add(
            status, "\(outcome.keysDisabled)", "\(outcome.keysBuried)", "\(outcome.grantsRevoked)",
            "\(outcome.accessKeysDeactivated)", "\(outcome.sessionsEnded)")
        listing.show(json: options.json)
    }
}
