import AWSProtocol
import ArgumentParser
import AuthorityAPI
import Foundation
import Policies

/// `forecastle admin explain`: what the authority would decide, and why.
struct AdminExplain: AsyncParsableCommand {
    static let denied = ExitCode(3)
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell whether a principal may do something, and which statement or grant decides.",
        discussion: """
            Decides by the authority's own functions over its database, read only; nothing is done and nothing is recorded. \
            Conditions see what is known of the principal and what --context gives; a request's address, transport and \
            user agent are none of these unless given (aws:SourceIp=203.0.113.7).

            Exit codes: 0 allowed; 3 denied; 64 wrong use; 1 anything else.
            """)

    @OptionGroup var options: AdminOptions
    @Option(help: "Access key id, ARN of root, a user, a role or a session, or the service's name.") var principal: String
    @Option(help: "Such as kms:Decrypt.") var action: String
    @Option(help: "ARN, key id or alias of what is acted on; * for none.") var resource = "*"
    @Option(help: "KEY=VALUE, a condition key of the request; again for further keys and values.") var context: [String] = []
    @Option(help: "KEY=VALUE, a pair of the encryption context; again for more.") var encryptionContext: [String] = []
    @Option(help: "An operation that CreateGrant would allow; again for more.") var grantOperation: [String] = []

    func validate() throws {
        for text in context + encryptionContext where !text.contains("=") || text.hasPrefix("=") {
            throw ValidationError("Give KEY=VALUE, not \(text).")
        }
        guard action.contains(":") else { throw ValidationError("Give the action as service:Name.") }
    }

    func run() async throws {
        var question = AccessQuestion(principal: principal, action: action, resource: resource)
        for (key, value) in context.map(Self.pair) { question.context[key, default: []].append(value) }
        if !grantOperation.isEmpty { question.context["kms:GrantOperations"] = grantOperation }
        for (key, value) in encryptionContext.map(Self.pair) {
            guard question.encryptionContext.updateValue(value, forKey: key) == nil else {
                throw ValidationError("The encryption context has \(key) twice.")
            }
        }
        let asked = question
        try await options.runReadOnly { explainer in
            let explanation = try await explainer.explain(asked, now: Date())
            let report = ExplanationReport(explanation, action: action)
            print(options.json ? report.json.serializedString : report.table)
            if !explanation.isAllowed { throw Self.denied }
        }
    }

    private static func pair(_ text: String) -> (key: String, value: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), String(parts[1]))
    }
}
