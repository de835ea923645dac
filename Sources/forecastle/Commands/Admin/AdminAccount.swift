import AWSProtocol
import Accounts
import ArgumentParser
import Foundation

/// `forecastle admin account create|list`
struct AdminAccount: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Accounts.", subcommands: [Create.self, List.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add an account.")
        @OptionGroup var options: AdminOptions
        @Argument(help: "Account id, 12 digits.") var id: String
        @Option(help: "What the account is called.") var name: String

        func run() async throws {
            try await options.run { try await $0.createAccount(id, name: name, by: .commandLine) }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show all accounts.")
        @OptionGroup var options: AdminOptions

        func run() async throws {
            try await options.run { store in
                var listing = AdminListing("Account", "Name", "CreatedAt")
                for account in try await store.accounts() {
                    listing.add(account.id, account.name, AWSTimestamp.extended(account.createdAt))
                }
                listing.show(json: options.json)
            }
        }
    }
}
