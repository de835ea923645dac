import AWSProtocol
import Accounts
import ArgumentParser
import Foundation

/// `forecastle admin user create|list|delete`
struct AdminUser: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Users of an account.", subcommands: [Create.self, List.self, Delete.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a user, who may do nothing yet and has no access key.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var account: AccountOption
        @Argument(help: "Name of the user.") var name: String
        @Option(help: "Path of the user's ARN.") var path = "/"

        func run() async throws {
            try await options.run { store in
                let user = try await store.createUser(name, path: path, account: account.account, by: .commandLine)
                AdminUser.show([user], json: options.json)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the users of an account.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var account: AccountOption

        func run() async throws {
            try await options.run { AdminUser.show(try await $0.users(account: account.account), json: options.json) }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a user with its policies; its access keys must be gone.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var account: AccountOption
        @Argument(help: "Name of the user.") var name: String

        func run() async throws {
            try await options.run { try await $0.deleteUser(name, account: account.account, by: .commandLine) }
        }
    }

    private static func show(_ users: [UserEntity], json: Bool) {
        var listing = AdminListing("Name", "Arn", "UserId", "CreatedAt")
        for user in users {
            listing.add(user.name, user.arn.description, user.userID, AWSTimestamp.extended(user.createdAt))
        }
        listing.show(json: json)
    }
}
