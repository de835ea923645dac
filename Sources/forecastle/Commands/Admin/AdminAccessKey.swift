import AWSProtocol
import Accounts
import ArgumentParser
import Foundation
import Secrets

/// `forecastle admin access-key create|list|activate|deactivate|delete`
struct AdminAccessKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access-key", abstract: "Access keys of users.",
        subcommands: [Create.self, List.self, Activate.self, Deactivate.self, Delete.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an access key and write it to a file of mode 0600.",
            discussion: "The secret is printed nowhere and cannot be read again.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var account: AccountOption
        @Option(help: "Name of the user.") var user: String
        @Option(help: "File to make; it must not exist.") var output: String

        func run() async throws {
            try await options.run { store in
                let file = CredentialsFile(path: output)
                try file.create()
                let key: NewAccessKey
                do {
                    key = try await store.createAccessKey(user: user, account: account.account, by: .commandLine)
                } catch {
                    file.remove()
                    throw error
                }
                do {
                    try file.write(accessKeyID: key.accessKeyID, secret: key.secretAccessKey)
                } catch {
                    // A key whose secret nobody has would only take up one of the user's two places.
                    file.remove()
                    try await store.deleteAccessKey(key.accessKeyID, account: account.account, by: .commandLine)
                    throw error
                }
                var listing = AdminListing("AccessKeyId", "File")
                listing.add(key.accessKeyID, output)
                listing.show(json: options.json)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the access keys of an account or a user, without secrets.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var account: AccountOption
        @Option(help: "Name of a user.") var user: String?

        func run() async throws {
            try await options.run { store in
                var listing = AdminListing("AccessKeyId", "User", "Status", "CreatedAt")
                for key in try await store.accessKeys(account: account.account, user: user) {
                    listing.add(
                        key.accessKeyID, key.userName ?? "root", key.status.rawValue, AWSTimestamp.extended(key.createdAt))
                }
                listing.show(json: options.json)
            }
        }
    }

    /// An access key of an account.
    struct Chosen: ParsableArguments {
        @OptionGroup var account: AccountOption
        @Argument(help: "Id of the access key.") var id: String
    }

    struct Activate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let requests signed with a key in again.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var key: Chosen

        func run() async throws {
            try await options.run {
                try await $0.setAccessKey(key.id, status: .active, account: key.account.account, by: .commandLine)
            }
        }
    }

    struct Deactivate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Refuse requests signed with a key, from the next one on.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var key: Chosen

        func run() async throws {
            try await options.run {
                try await $0.setAccessKey(key.id, status: .inactive, account: key.account.account, by: .commandLine)
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a key for good.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var key: Chosen

        func run() async throws {
            try await options.run { try await $0.deleteAccessKey(key.id, account: key.account.account, by: .commandLine) }
        }
    }
}
