import AWSProtocol
import Accounts
import ArgumentParser
import Foundation

/// `forecastle admin role create|list|show|trust|delete`
struct AdminRole: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "Roles of an account.",
        subcommands: [Create.self, List.self, Show.self, Trust.self, Delete.self])

    /// A role of an account.
    struct Chosen: ParsableArguments {
        @OptionGroup var account: AccountOption
        @Argument(help: "Name of the role.") var name: String
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a role, which may do nothing yet.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var role: Chosen
        @Option(help: "File with the trust policy, - for standard input.") var trust: String
        @Option(help: "Path of the role's ARN.") var path = "/"
        @Option(help: "What the role is for.") var description = ""
        @Option(name: .customLong("session-seconds"), help: "Longest life of a session, 3600 to 43200.") var sessionSeconds = 3600

        func run() async throws {
            let document = try DocumentFile.read(trust)
            try await options.run { store in
                let role = try await store.createRole(
                    role.name, path: path, account: role.account.account, trustPolicy: document, description: description,
                    maximumSessionSeconds: sessionSeconds, by: .commandLine)
                AdminRole.show([role], json: options.json)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the roles of an account.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var account: AccountOption

        func run() async throws {
            try await options.run { AdminRole.show(try await $0.roles(account: account.account), json: options.json) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print a role's trust policy.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var role: Chosen

        func run() async throws {
            try await options.run { store in
                guard let found = try await store.role(role.name, account: role.account.account) else {
                    throw ValidationError("There is no role \(role.name) in account \(role.account.account).")
                }
                DocumentFile.show(found.trustPolicy)
            }
        }
    }

    struct Trust: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace a role's trust policy.", discussion: "Sessions that exist go on; no new one is made without trust."
        )
        @OptionGroup var options: AdminOptions
        @OptionGroup var role: Chosen
        @Option(help: "File with the trust policy, - for standard input.") var document: String

        func run() async throws {
            let text = try DocumentFile.read(document)
            try await options.run {
                try await $0.putTrustPolicy(text, role: role.name, account: role.account.account, by: .commandLine)
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a role; its sessions end at once.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var role: Chosen

        func run() async throws {
            try await options.run { try await $0.deleteRole(role.name, account: role.account.account, by: .commandLine) }
        }
    }

    private static func show(_ roles: [RoleEntity], json: Bool) {
        var listing = AdminListing("Name", "Arn", "RoleId", "SessionSeconds", "CreatedAt")
        for role in roles {
            listing.add(
                role.name, role.arn.description, role.roleID, String(role.maximumSessionSeconds),
                AWSTimestamp.extended(role.createdAt))
        }
        listing.show(json: json)
    }
}
