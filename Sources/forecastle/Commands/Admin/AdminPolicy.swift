import Accounts
import ArgumentParser
import Foundation

/// `forecastle admin policy put|list|show|delete`
struct AdminPolicy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Inline policies of users and roles.",
        subcommands: [Put.self, List.self, Show.self, Delete.self])

    /// A policy of a user or role.
    struct Chosen: ParsableArguments {
        @OptionGroup var account: AccountOption
        @OptionGroup var of: PolicyOwnerOption
        @Argument(help: "Name of the policy.") var name: String
    }

    struct Put: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a policy, or replace the one of that name.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var policy: Chosen
        @Option(help: "File with the document, - for standard input.") var document: String

        func run() async throws {
            let text = try DocumentFile.read(document)
            try await options.run {
                try await $0.putPolicy(
                    policy.name, document: text, of: policy.of.owner, account: policy.account.account, by: .commandLine)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the names of a user's or role's policies.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var account: AccountOption
        @OptionGroup var of: PolicyOwnerOption

        func run() async throws {
            try await options.run { store in
                var listing = AdminListing("Name", "Characters")
                for policy in try await store.policies(of: of.owner, account: account.account) {
                    listing.add(policy.name, String(policy.document.unicodeScalars.count))
                }
                listing.show(json: options.json)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print a policy's document.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var policy: Chosen

        func run() async throws {
            try await options.run { store in
                let policies = try await store.policies(of: policy.of.owner, account: policy.account.account)
                guard let found = policies.first(where: { $0.name == policy.name }) else {
                    throw ValidationError("There is no policy \(policy.name).")
                }
                DocumentFile.show(found.document)
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a policy.")
        @OptionGroup var options: AdminOptions
        @OptionGroup var policy: Chosen

        func run() async throws {
            try await options.run {
                try await $0.deletePolicy(
                    policy.name, of: policy.of.owner, account: policy.account.account, by: .commandLine)
            }
        }
    }
}
